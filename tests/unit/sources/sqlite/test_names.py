import os
from contextlib import closing

from pinnacle_backup.sources.sqlite.names import Target, resolve


def test_one_database_by_many_names_is_one_target(studio):
    """Symbolic links, hard links and detours lead to one database, opened once; given twice counts once."""
    path = studio.database("b.db")
    link, hard = str(studio.root / "a.db"), str(studio.root / "c.db")
    os.symlink(path, link)
    os.link(path, hard)
    targets, problems = resolve([hard, link, path, path])
    assert targets == [Target(path.encode(), (hard, link, path))]
    assert problems == []


def test_a_hard_linked_database_is_opened_where_its_log_lies(studio):
    """Through another name SQLite would not see the log, and read a torn database."""
    path = studio.database("b.db")
    first = str(studio.root / "a.db")
    os.link(path, first)
    with closing(studio.open(path)) as db:
        db.execute("UPDATE counter SET n = 1")
        assert resolve([first, path])[0] == [Target(path.encode(), (first, path))]
        (studio.root / "a.db-wal").write_bytes(b"x" * 100)
        targets, problems = resolve([first, path])
    assert targets == []
    assert [problem.path for problem in problems] == [first, path]


def test_the_order_is_the_same_for_everybody(studio):
    """Two backups that take locks in the same order cannot block each other."""
    paths = [studio.database(name) for name in ("c.db", "a.db", "b.db")]
    assert [target.names[0] for target in resolve(paths)[0]] == sorted(paths)


def test_what_is_no_file_is_a_problem(studio):
    """Missing files, folders, pipes and endless links are named; a pipe does not make the backup wait."""
    odd = {name: str(studio.root / name) for name in ("missing", "folder", "pipe", "loop")}
    os.mkdir(odd["folder"])
    os.mkfifo(odd["pipe"])
    os.symlink(odd["loop"], odd["loop"])
    targets, problems = resolve(odd.values())
    assert targets == []
    assert [problem.path for problem in problems] == list(odd.values())
    assert [problem.reason for problem in problems][:3] == [
        "cannot be read (No such file or directory)",
        "is not a file",
        "is not a file",
    ]
