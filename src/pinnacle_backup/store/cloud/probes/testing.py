"""All questions to one place, in an order in which each is worth asking."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.model.probes import Finding
from pinnacle_backup.store.cloud.failures import failures
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.probes import bucket, network, objects
from pinnacle_backup.store.cloud.probes.probe import Findings, Probe, Stop, failed_by

_QUESTIONS: Final[tuple[Callable[[Probe], Findings], ...]] = (
    network.address,
    network.credentials,
    network.bucket,
    objects.listing,
    objects.writing,
    objects.speed,
    objects.deleting,
    bucket.locks,
    bucket.versions,
    bucket.rules,
)


class BucketTest:
    """
    A test of one place that speaks S3.

    Args:
        place: Where.
        size: Bytes for the test of speed; 0 for none.

    Attributes:
        requests: How many were made.
        seconds: Wall time.
    """

    def __init__(self, place: CloudPlace, *, size: int) -> None:
        self._place, self._size = place, size
        self.requests, self.seconds = 0, 0.0

    def findings(self) -> Iterator[Finding]:
        """
        Yield what is found, as it is found. What the test stored is removed, whatever ends it.

        Raises:
            StoreError: The place makes no sense: no such profile, an address that is none.
        """
        began = time.monotonic()
        with failures(self._place, "use"):
            probe = Probe(self._place, size=self._size)
        try:
            yield from _asked(probe)
        finally:
            probe.remove()
            probe.close()
            self.requests, self.seconds = probe.requests, round(time.monotonic() - began, 3)


def _asked(probe: Probe) -> Iterator[Finding]:
    for question in _QUESTIONS:
        try:
            yield from question(probe)
        except Stop:
            return
        except (ClientError, BotoCoreError) as error:
            yield failed_by(question.__name__, probe.error(error, "use"))
