"""botocore's descriptions of services, in half the time: whatever goes to a bucket waits for them."""

from __future__ import annotations

import contextlib
import functools
import gzip
import os
from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.loaders import Loader


@functools.cache
def descriptions() -> Loader:
    """Return what reads each description once; they are large, and children inherit them."""
    loader = Loader(file_loader=_Files())
    loader.list_available_services = functools.partial(_services, loader.search_paths)
    return loader


class _Files:
    """Reads JSON as everything else here does. See ``botocore.loaders.JSONFileLoader``."""

    def exists(self, path: str) -> bool:
        return any(os.path.isfile(path + ending) for ending in (".json", ".json.gz"))

    def load_file(self, path: str) -> Any:
        for ending, opening in ((".json", open), (".json.gz", gzip.open)):
            with contextlib.suppress(FileNotFoundError), opening(path + ending, "rb") as file:
                return msgspec.json.decode(file.read())
        return None


def _services(places: Sequence[str], type_name: str) -> list[str]:  # noqa: ARG001 - as botocore calls it
    """Take every folder for a service: botocore looks into four hundred of them to see whether S3 is one."""
    return sorted({name for place in places if os.path.isdir(place) for name in os.listdir(place)})
