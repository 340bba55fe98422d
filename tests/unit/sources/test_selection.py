"""Where a scan begins, and which sources are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnacle_backup.errors import SourceError
from pinnacle_backup.sources.selection import Selected, select


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    for folder in ("studio/logs/a", "studio/logs-old", "studio/uploads", "elsewhere/inner"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "studio/config.json").write_text("{}")
    return tmp_path / "studio"


def inside(studio: Path, *sources: str) -> list[str]:
    return select(str(studio), sources).inside


def test_sources_are_in_path_order_and_only_once(studio: Path):
    sources = (
        "uploads/",
        "logs/a",
        "config.json",
        "logs-old",
        "logs/",
        "./logs",
        str(studio / "logs"),
        "logs//a/",
    )

    assert inside(studio, *sources) == ["config.json", "logs", "logs-old", "uploads"]


@pytest.mark.parametrize("root", [".", "", "./", "logs/.."])
def test_the_root_holds_all(studio: Path, root: str):
    assert inside(studio, "logs", root, "config.json") == [""]


def test_sources_outside_are_relative_to_the_top(studio: Path):
    other = str(studio.parent / "elsewhere")
    expected = Selected([""], [other[1:]])

    assert select(str(studio), [".", other, f"{other}/inner"]) == expected
    assert select(str(studio), [".", "../elsewhere"]) == expected
    assert select(str(studio), [".", f".pinnacle/root{other}"]) == expected
    assert select(str(studio), [".", "/" + other]) == expected


def test_a_root_of_all_roots(studio: Path):
    path = str(studio / "logs")

    assert select("/", [path, str(studio)]) == Selected([str(studio)[1:]], [])
    assert select("/", ["/", path]) == Selected([""], [])


def test_a_sibling_whose_name_begins_alike_is_outside(studio: Path):
    sibling = studio.parent / "studio-2"
    sibling.mkdir()

    assert select(str(studio), [str(sibling)]) == Selected([], [str(sibling)[1:]])


@pytest.mark.parametrize("source", ["nothing", "nothing/", "logs/nothing", "config.json/x", "../nothing"])
def test_a_missing_source_is_an_error_and_named(studio: Path, source: str):
    with pytest.raises(SourceError, match=source) as caught:
        select(str(studio), ["logs", source])

    assert "backup.paths" in caught.value.hint


class TestLinks:
    def test_a_root_may_be_reached_by_a_link(self, studio: Path):
        (studio.parent / "link").symlink_to("studio")

        assert inside(studio.parent / "link", "logs", "config.json") == ["config.json", "logs"]

    @pytest.mark.parametrize("target", ["../elsewhere", "../elsewhere/inner", "config.json", "logs"])
    def test_a_link_alone_is_refused(self, studio: Path, target: str):
        """Else the backup would hold the link, and none of what the administrator meant."""
        (studio / "link").symlink_to(target)
        real = (studio / "link").resolve()
        with pytest.raises(SourceError, match="link") as caught:
            select(str(studio), ["link/", "uploads"])

        assert str(real) in caught.value.hint

    def test_a_link_to_what_is_a_source_too_is_kept(self, studio: Path):
        (studio / "link").symlink_to("../elsewhere/inner")
        sources = ["link", str(studio.parent / "elsewhere")]

        assert select(str(studio), sources) == Selected(["link"], [str(studio.parent / "elsewhere")[1:]])

    def test_a_dangling_link_is_a_missing_source(self, studio: Path):
        """The disk that it leads to is not mounted."""
        (studio / "link").symlink_to("../unmounted")
        with pytest.raises(SourceError, match="link"):
            select(str(studio), ["link"])

    def test_a_source_behind_a_link_is_refused(self, studio: Path):
        (studio / "link").symlink_to("../elsewhere")
        with pytest.raises(SourceError, match="behind a link") as caught:
            select(str(studio), ["link/inner", "../elsewhere"])

        assert str(studio.parent / "elsewhere/inner") in caught.value.hint
