"""``cloud test`` at Google and Azure: each question is asked of the server, and nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .. import azurite
from ..gcs_server import GcsBucket
from ..studios import Ended, Studio
from .test_cloud_providers import cloud

__all__ = ["cloud"]

ALL = ["list", "write", "create only", "change only", "read", "speed", "delete"]


class Asked(Studio):
    """A studio that has a place in its ``cloud_storage``."""

    def ask(self, cloud: dict[str, Any], *args: str) -> tuple[Ended, dict[str, dict[str, str]]]:
        """Return how the test ended, and the findings by what was asked."""
        (self.root / "config.json").write_text(json.dumps({"cloud_storage": cloud}))
        (self.root / "config.json").chmod(0o600)
        ended = self.run("cloud", "test", "--json", *args)
        assert azurite.KEY not in ended.out + ended.err
        (test,) = json.loads(ended.out)["tests"]
        return ended, {finding["about"]: finding for finding in test["findings"]}


@pytest.fixture
def studio(tmp_path: Path) -> Asked:
    return Asked(tmp_path / "studio")


def test_a_good_place_is_good_and_empty_afterwards(studio: Asked, cloud: dict[str, Any]) -> None:
    for _ in range(2):  # the second time tells whether the first left anything
        ended, found = studio.ask(cloud)
        assert ended.code == 0, ended
        assert list(found) == ALL
        assert {finding["verdict"] for finding in found.values()} == {"good"}
        assert "nothing is there yet" in found["list"]["words"]
    assert "Fit for backups (" in studio.good("cloud", "test", "--size", "0")


def test_a_place_that_is_not_there_ends_the_test(studio: Asked, cloud: dict[str, Any]) -> None:
    ended, found = studio.ask(cloud | {"bucket": "none"})
    assert ended.code == 2
    assert list(found) == ["list"]
    assert "none" in found["list"]["words"]
    assert found["list"]["advice"]


@pytest.fixture
def google(gcs_bucket: GcsBucket) -> dict[str, Any]:
    return {
        "provider": "gcs",
        "bucket": gcs_bucket.name,
        "credentials_file": str(gcs_bucket.credentials),
        "endpoint_url": gcs_bucket.server.url,
    }


@pytest.mark.parametrize(
    ("method", "about", "verdict", "code"),
    [("PUT", "write", "failed", 2), ("DELETE", "delete", "note", 0), ("GET", "list", "failed", 2)],
)
def test_what_the_key_may_not_do_is_told(
    studio: Asked,
    google: dict[str, Any],
    gcs_bucket: GcsBucket,
    method: str,
    about: str,
    verdict: str,
    code: int,
) -> None:
    gcs_bucket.server.spoil = lambda asked, path: 403 if asked == method else 0
    ended, found = studio.ask(google, "--size", "0")
    assert ended.code == code, ended
    assert found[about]["verdict"] == verdict
    assert found[about]["advice"]


def test_a_server_without_conditions_is_not_fit(
    studio: Asked, google: dict[str, Any], gcs_bucket: GcsBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcs_bucket.server, "heeds_conditions", False)
    ended, found = studio.ask(google, "--size", "0")
    assert ended.code == 2
    assert {about for about, finding in found.items() if finding["verdict"] == "failed"} == {
        "create only",
        "change only",
    }
