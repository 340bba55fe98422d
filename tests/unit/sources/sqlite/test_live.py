"""The steps of one database. All connections here are of one library: two in one process see no locks of each other."""

import sqlite3
import time
from contextlib import closing

import apsw
import pytest

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.sources.sqlite.live import Live


@pytest.fixture
def opened(studio):
    found = []

    def make(mode="wal"):
        path = studio.database(mode=mode)
        live, peer = Live(path.encode(), time.monotonic, time.sleep), apsw.Connection(path)
        found.extend((peer, live))
        return live, peer, str(studio.root / "copy").encode()

    yield make
    for one in found:
        one.close()


def number_in(copy):
    with closing(sqlite3.connect(f"file:{copy.readable}?immutable=1", uri=True)) as db:
        return db.execute("SELECT n FROM counter").fetchone()[0]


def catch(live):
    live.settle(0)
    live.stop(0)
    live.settle(0)
    live.begin()


def test_a_commit_between_settling_and_reading_means_a_copy(opened):
    """Its writer could not be stopped and did commit: the main file lacks something, the transaction does not."""
    live, peer, copy = opened()
    peer.execute("BEGIN IMMEDIATE; UPDATE counter SET n = 1")
    live.settle(0)
    live.stop(0)
    live.settle(0)
    peer.execute("COMMIT")
    live.begin()
    live.judge(alone=False)
    assert not live.in_place
    assert not live.done
    found = live.deliver(copy)
    assert (found.copied, found.apart) == (True, False)
    assert number_in(found) == 1


@pytest.mark.parametrize("alone", [True, False])
def test_a_commit_after_reading_began_matters_among_others(opened, alone):
    """Two that go on may be caught at two instants: that is told, and tried again; a single one may go on."""
    live, peer, copy = opened()
    peer.execute("BEGIN IMMEDIATE; UPDATE counter SET n = 1")
    catch(live)
    peer.execute("COMMIT")
    live.judge(alone=alone)
    assert not live.in_place
    assert not live.done
    found = live.deliver(copy)
    assert (found.copied, found.apart) == (True, not alone)
    assert number_in(found) == 0


def test_a_second_try_forgets_the_first(opened):
    """What was wrong once is not wrong for ever."""
    live, peer, copy = opened()
    peer.execute("BEGIN IMMEDIATE; UPDATE counter SET n = 1")
    catch(live)
    peer.execute("COMMIT")
    live.judge(alone=False)
    live.let_go()
    catch(live)
    live.judge(alone=False)
    assert live.in_place
    assert not live.deliver(copy).apart


def test_no_commit_in_between_is_as_good_as_a_lock(opened):
    """Its writer could not be stopped but did not commit: the main file is complete and stands still."""
    live, peer, copy = opened()
    peer.execute("UPDATE counter SET n = 1")
    peer.execute("BEGIN IMMEDIATE; UPDATE counter SET n = 2")
    catch(live)
    live.judge(alone=True)
    live.resume()
    assert live.in_place
    peer.execute("COMMIT")
    assert peer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE) == (2, 1), "a checkpoint moved something"
    assert not live.deliver(copy).copied


def test_writers_are_stopped_until_resumed(opened):
    """Between ``stop`` and ``resume`` nobody commits; after it they do."""
    live, peer, _ = opened()
    catch(live)
    with pytest.raises(apsw.BusyError):
        peer.execute("UPDATE counter SET n = 1")
    live.resume()
    peer.execute("UPDATE counter SET n = 1")


def test_a_journal_mode_that_changes_underneath(opened):
    """Between two tries an application may turn to a log, or away from it; what is caught is right all the same."""
    live, peer, copy = opened("delete")
    catch(live)
    live.judge(alone=True)
    assert live.in_place
    live.let_go()
    peer.pragma("journal_mode", "wal")
    peer.execute("UPDATE counter SET n = 5")
    catch(live)
    live.judge(alone=True)
    live.resume()
    assert live.in_place
    assert not live.deliver(copy).writers_wait
    live.let_go()
    live.close()
    assert peer.pragma("journal_mode", "delete") == "delete"


def test_a_log_that_appears_after_settling_means_a_copy(opened):
    """Taken for a database with a journal, it turned to a log: the main file alone is not trusted."""
    live, peer, copy = opened("delete")
    live.settle(0)
    peer.pragma("journal_mode", "wal")
    peer.execute("UPDATE counter SET n = 5")
    live.stop(0)
    live.begin()
    live.judge(alone=True)
    live.resume()
    assert not live.in_place
    found = live.deliver(copy)
    assert found.copied
    assert number_in(found) == 5


def test_nothing_is_delivered_that_was_not_caught(opened):
    """Without a transaction there is nothing to read."""
    live, _, copy = opened()
    with pytest.raises(RepositoryBusy):
        live.deliver(copy)


def test_busy_is_tried_until_the_moment_given(opened):
    """A lock that goes away in time is waited for; one that does not is given up."""
    live, peer, _ = opened()
    peer.execute("BEGIN IMMEDIATE")
    live.settle(0)
    began = time.monotonic()
    live.stop(began + 0.1)
    assert time.monotonic() - began >= 0.1
    peer.execute("ROLLBACK")
    live.stop(0)
    with pytest.raises(apsw.BusyError):
        peer.execute("UPDATE counter SET n = 1")


def test_closing_twice_is_harmless(opened):
    """Released by name, then with all others."""
    live, _, _ = opened()
    live.close()
    live.close()
