"""The commands that are killed: in what studio, and what has to hold afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..studios import DATABASE, Studio, Verified, rows
from ..trees import Tree, describe, differences

_DATABASE = os.fsencode(DATABASE)
_OURS = {b"backups", b".pinnacle", b"logs", *(_DATABASE + end for end in (b"", b"-wal", b"-shm"))}

Check = Callable[[Studio, dict[str, str], Tree, Tree], None]
"""Is given the studio, its archives before, the tree that is backed up as ``good``, and the tree before."""


@dataclass
class Case:
    """
    A command that is killed.

    Attributes:
        args: The command.
        prepare: Makes what it works on; returns the tree that a restore shall bring back.
        after_kill, after_repeat: Check what there is then, and when the command has run again.
        passwords: One of them opens each encrypted backup.
        once: Whether to repeat it does something else, once its run has ended well.
        quick: At how many calls the quick tests kill it; the long ones take all.
    """

    args: tuple[str, ...]
    prepare: Callable[[Studio], Tree]
    after_kill: Check
    after_repeat: Check
    passwords: tuple[str, ...] = ()
    once: bool = False
    quick: int = 2


def tree_of(studio: Studio) -> Tree:
    """Return all that is the application's, but its database: to look at that changes it."""
    return describe(studio.root, leave_out=_OURS)


def _a_chain(studio: Studio) -> Tree:
    studio.good("create")
    studio.change()
    studio.good("create", "--type", "incremental")
    (studio.root / "uploads/new.bin").write_bytes(os.urandom(20_000))
    return {}


def _all_stay(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    assert before.items() <= studio.archives().items()


def _one_more(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    _all_stay(studio, before, good, changed)
    made = studio.listed().keys() - before.keys()
    assert len(made) in (1, 2)  # the run that was killed may have got as far as giving its archive the name


def _old_backups(studio: Studio) -> Tree:
    studio.configure(retention_days=0, incremental={"retention_days": 0})
    _a_chain(studio)
    studio.good("create", "--name", "newest")
    return {}


def _only_what_may_go_is_gone(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    left = studio.archives()
    assert left.items() <= before.items()
    assert "newest.tar.gz" in left


def _only_the_newest_stays(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    assert studio.archives() == {"newest.tar.gz": before["newest.tar.gz"]}


def _something_to_restore(studio: Studio) -> Tree:
    studio.good("create", "--name", "good")
    good = tree_of(studio)
    studio.change()
    (studio.root / "uploads/link").unlink()
    (studio.root / "uploads/sub/two.bin").chmod(0o600)
    return good


def _something_to_take_back(studio: Studio) -> Tree:
    _something_to_restore(studio)
    changed = tree_of(studio)
    studio.good("restore", "good")
    return changed


def _each_path_is_whole(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    """Every name holds the old content or the new one, never half of it."""
    _all_stay(studio, before, good, changed)
    for path, found in tree_of(studio).items():
        if not os.path.basename(path).startswith(b".pinnacle-"):
            whole = [_content(tree[path]) for tree in (good, changed) if path in tree]
            assert _content(found) in whole, path
    with tempfile.TemporaryDirectory() as elsewhere:  # to open a database changes it
        for file in studio.root.glob(f"{DATABASE}*"):
            shutil.copy(file, elsewhere)
        assert rows(Path(elsewhere) / DATABASE) in (300, 320)


def _content(facts: tuple[object, ...]) -> object:
    """Return type, and size and content, or target."""
    return facts[0], facts[6:8]


def _all_is_restored(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    _all_stay(studio, before, good, changed)
    found = tree_of(studio)
    assert found == good, differences(found, good)
    assert rows(studio.root / DATABASE) == 300
    assert len(studio.listed()) - len(before) in (0, 1, 2)  # what was overwritten
    studio.good("undo")
    _is_taken_back(studio, before, changed, good)


def _is_taken_back(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    """Also by an undo that goes on with one that was killed, or of a restore that did."""
    _all_stay(studio, before, good, changed)
    found = tree_of(studio)
    assert found == good, differences(found, good)
    assert rows(studio.root / DATABASE) == 320
    studio.good("undo")
    found = tree_of(studio)
    assert found == changed, differences(found, changed)
    assert rows(studio.root / DATABASE) == 300


def _an_encrypted_chain(studio: Studio) -> Tree:
    for file in studio.root.glob(f"{DATABASE}*"):
        file.unlink()  # databases take their time, and are not what this is about
    studio.good("create", "--encrypt", "old")
    studio.good("create", "--type", "incremental", "--encrypt", "old")
    return {}


def _same_names(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    assert studio.archives().keys() == before.keys()


def _only_the_new_password_opens(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    _same_names(studio, before, good, changed)
    Verified("new").check(studio)
    assert studio.run("verify", next(iter(before)), "--decrypt", "old").code == 12


def _something_to_copy(studio: Studio) -> Tree:
    studio.configure(copy_to=["copies"])
    (studio.root / "copies").mkdir()
    _a_chain(studio)
    studio.good("create", "--encrypt", "old")
    studio.good("pin", "latest")
    return {}


def _each_copy_is_whole(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    """Whatever is there is what is here, with its checksum, and an incremental has its base."""
    _same_names(studio, before, good, changed)
    place, bases = studio.root / "copies", {found["id"]: found for found in studio.listed().values()}
    for name, found in studio.listed().items():
        if (place / name).exists():
            for file in (name, f"{name}.sha256"):
                assert (place / file).read_bytes() == (studio.backups / file).read_bytes()
            assert not found["base"] or (place / bases[found["base"]]["name"]).exists()


def _all_is_copied(studio: Studio, before: dict[str, str], good: Tree, changed: Tree) -> None:
    _each_copy_is_whole(studio, before, good, changed)
    here, there = (
        {name for name in os.listdir(folder) if not name.startswith(".")}
        for folder in (studio.backups, studio.root / "copies")
    )
    assert here == there


CASES = {
    "create": Case(("create",), _a_chain, _all_stay, _one_more),
    "create incremental": Case(("create", "--type", "incremental"), _a_chain, _all_stay, _one_more),
    "cleanup": Case(("cleanup",), _old_backups, _only_what_may_go_is_gone, _only_the_newest_stays),
    "restore": Case(("restore", "good"), _something_to_restore, _each_path_is_whole, _all_is_restored),
    "undo": Case(("undo",), _something_to_take_back, _each_path_is_whole, _is_taken_back, once=True),
    "key change": Case(
        ("key", "change", "--decrypt", "old", "--new", "new"),
        _an_encrypted_chain,
        _same_names,
        _only_the_new_password_opens,
        passwords=("old", "new"),
        quick=1,
    ),
    "copy": Case(("copy",), _something_to_copy, _each_copy_is_whole, _all_is_copied, passwords=("old",)),
}
