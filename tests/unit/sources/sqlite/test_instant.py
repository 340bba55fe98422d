"""The order of steps, and when to try again; with databases that are made up."""

import pytest

from pinnacle_backup.sources.sqlite.instant import seize


class Time:
    def __init__(self):
        self.now = 0.0

    def clock(self):
        self.now += 1e-6
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Made:
    """A database whose readers leave after some seconds."""

    error = None
    still = True

    def __init__(self, name, log, time, settles_at=0.0):
        self.path, self.log, self.time, self.settles_at = name, log, time, settles_at
        self.settled = False

    def settle(self, until):
        self.log.append(("settle", self.path))
        self.settled = self.time.now >= self.settles_at
        return self.settled

    def stop(self, until):
        self.log.append(("stop", self.path))
        return True

    @property
    def done(self):
        return self.settled

    def __getattr__(self, step):
        def note(*_, **__):
            self.log.append((step, self.path))

        return note


@pytest.fixture
def time():
    return Time()


def steps(log):
    return [step for step, _ in log]


def test_all_are_stopped_before_any_is_read_and_resumed_after_all_are(time):
    """That is what makes it one instant."""
    log = []
    instant = seize([Made("a", log, time), Made("b", log, time)], 1.0, time.clock, time.sleep)
    assert steps(log) == [
        step for step in ("settle", "stop", "settle", "begin", "judge", "resume") for _ in "ab"
    ]
    assert [name for _, name in log] == ["a", "b"] * 6
    assert 0 < instant.locked_ns < 1_000_000


def test_a_short_reader_is_waited_for_while_writers_wait(time):
    """Within the patience of the first try nobody needs a second one."""
    log = []
    seize([Made("a", log, time, 0.0015)], 1.0, time.clock, time.sleep)
    assert steps(log).count("stop") == 1


def test_a_longer_reader_is_waited_for_while_writers_go_on(time):
    """Each try lets go of everything before the next one, and writers have most of the time."""
    log = []
    instant = seize([Made("a", log, time, 0.5), Made("b", log, time)], 1.0, time.clock, time.sleep)
    assert 0.5 <= time.now < 0.8
    tries = steps(log).count("stop") // 2
    assert 3 < tries < 12
    assert steps(log).count("resume") == 2 * tries
    assert steps(log).count("let_go") == 2 * (tries - 1)
    assert instant.locked_ns <= 51_000_000


def test_the_deadline_ends_it(time):
    """The last try counts as it is, and nothing is let go of after it."""
    log = []
    seize([Made("a", log, time, 100.0)], 1.0, time.clock, time.sleep)
    assert 0.7 < time.now < 1.1
    assert steps(log)[-1] == "resume"


def test_no_time_is_one_try(time):
    """A deadline of nothing still catches what can be caught at once."""
    log = []
    seize([Made("a", log, time, 100.0)], 0.0, time.clock, time.sleep)
    assert steps(log).count("stop") == 1


def test_writers_are_resumed_whatever_happens(time):
    """An error in the middle leaves nobody waiting."""
    log = []

    class Broken(Made):
        def begin(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seize([Made("a", log, time), Broken("b", log, time)], 1.0, time.clock, time.sleep)
    assert log[-2:] == [("resume", "a"), ("resume", "b")]


def test_only_who_keeps_nobody_waiting_may_wait_long(time):
    """The first lock is waited for at leisure; from then on there are milliseconds for all the others."""
    log, until = [], {}

    class Slow(Made):
        def stop(self, moment):
            until[self.path] = moment - time.now
            time.now = 0.03 if self.path == "a" else moment
            return self.path != "a"

    seize([Slow("a", log, time), Slow("b", log, time), Slow("c", log, time)], 1.0, time.clock, time.sleep)
    assert until["a"] == pytest.approx(0.04, abs=0.001)
    assert until["b"] == pytest.approx(0.04, abs=0.001)
    assert until["c"] == pytest.approx(0.002, abs=0.001)


def test_each_knows_whether_it_is_the_only_one_that_goes_on(time):
    """A single database that cannot be stopped is of the instant of all others; two may not be."""
    told = {}

    class Restless(Made):
        still = False

        def judge(self, *, alone):
            told[self.path] = alone

    seize([Restless("a", [], time), Made("b", [], time)], 0.0, time.clock, time.sleep)
    assert told == {"a": True}
    seize(
        [Restless("a", [], time), Made("b", [], time), Restless("c", [], time)], 0.0, time.clock, time.sleep
    )
    assert told == {"a": False, "c": False}
