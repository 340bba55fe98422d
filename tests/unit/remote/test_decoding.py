"""What a server prints plainly comes back as the model's values: printed again, it is the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.app.plain import plain
from pinnacle_backup.model.backup import BackupHeader, BackupInfo, BackupSummary, BackupTotals
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import from_bytes
from pinnacle_backup.model.queries import BackupDetails, Difference, PathVersion
from pinnacle_backup.model.results import BackupReport, PlannedPath, Problem, RestorePlan, Verdict
from pinnacle_backup.remote.decoding import convert, decode

words = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12)
counts = st.integers(0, 2**53)
paths = st.binary(min_size=1, max_size=20).filter(lambda raw: b"\0" not in raw).map(from_bytes)
headers = st.builds(
    BackupHeader, repository=words, id=words, type=words, created=words, base=words, safety=st.booleans()
)
totals = st.builds(
    BackupTotals, entries=counts, size=counts, references=st.tuples(words), shrunk=st.booleans()
)
infos = st.builds(
    BackupInfo,
    name=paths,
    header=headers,
    totals=totals,
    stored=counts,
    encrypted=st.booleans(),
    verified=words,
)
entries = st.builds(
    Entry,
    path=paths,
    type=st.sampled_from(["file", "symlink", "directory"]),
    mode=st.integers(0, 0o7777),
    size=counts,
    mtime_ns=st.integers(-(2**62), 2**62),
    sha256=words,
    target=paths,
    xattrs=st.dictionaries(words, st.binary(max_size=3), max_size=2),
)
summaries = st.builds(
    BackupSummary,
    backup=headers,
    totals=totals,
    tool=words,
    host=words,
    sources=st.tuples(words),
    archives=st.tuples(words),
    index=st.just(()),
    users=st.dictionaries(words, words, max_size=2),
)
VALUES: dict[type[Any], st.SearchStrategy[Any]] = {
    BackupInfo: infos,
    Entry: entries,
    BackupDetails: st.builds(
        BackupDetails, backup=infos, path=words, sha256=words, summary=st.none() | summaries
    ),
    PathVersion: st.builds(PathVersion, entry=entries, backups=st.tuples(infos)),
    Difference: st.builds(
        Difference, path=words, change=words, before=st.none() | entries, after=st.none() | entries
    ),
    BackupReport: st.builds(
        BackupReport,
        seconds=st.floats(0, 1e9),
        backup=infos,
        warnings=st.tuples(st.builds(Problem, words, words)),
    ),
    RestorePlan: st.builds(
        RestorePlan,
        seconds=st.floats(0, 1e9),
        backup=infos,
        paths=st.tuples(st.builds(PlannedPath, words, words, counts, words)),
    ),
    Verdict: st.builds(Verdict, backup=infos, reasons=st.tuples(words)),
}


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_what_was_printed_is_printed_again_alike(kind: type[Any]) -> None:
    @given(VALUES[kind])
    def there_and_back(value: Any) -> None:
        printed = plain(value)
        assert plain(decode(json.dumps(printed).encode(), kind)) == printed

    there_and_back()


@given(entries)
def test_a_path_keeps_its_bytes(entry: Entry) -> None:
    assert convert(plain(entry), Entry).path in (entry.path, plain(entry)["path"])
    if "path_base64" in plain(entry):
        assert convert(plain(entry), Entry).path == entry.path


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, {"name": 7}, {"name": "x", "stored": "much"}])
def test_nonsense_is_refused(value: object) -> None:
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        convert(value, BackupInfo)
