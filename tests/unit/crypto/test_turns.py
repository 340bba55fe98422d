"""Turns at argon2id: few compute, few wait, and nobody else is kept waiting."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from itertools import islice

import pytest

from pinnacle_backup.crypto.turns import MOST_WAITING, Turns
from pinnacle_backup.errors import TooManyAttempts

FLOOD = 40


def test_of_a_flood_few_wait_and_the_others_are_sent_away_at_once() -> None:
    """Who waits takes a thread of the server: a hundred who wait would leave none for anybody else."""
    turns, computing = Turns(2, wait_seconds=600), threading.Semaphore(0)

    def compute() -> str:
        with turns.turn():
            computing.acquire()
        return "computed"

    with ThreadPoolExecutor(FLOOD) as pool:
        asked = [pool.submit(compute) for _ in range(FLOOD)]
        refused = [each.exception() for each in islice(as_completed(asked), FLOOD - 2 - MOST_WAITING)]
        computing.release(FLOOD)
        computed = [each.result() for each in asked if not each.exception()]
    assert {type(each) for each in refused} == {TooManyAttempts}
    assert computed == ["computed"] * (2 + MOST_WAITING)


def test_who_waits_too_long_for_a_turn_is_sent_away_and_every_place_is_given_back() -> None:
    turns = Turns(1, wait_seconds=0.001)
    turns.hold()
    for _ in range(2 + MOST_WAITING):
        with pytest.raises(TooManyAttempts, match="too many passwords at once") as caught, turns.turn():
            pytest.fail("two have the one turn")
        assert caught.value.retry_after == 0.001
    turns.let_go()
    with turns.turn():
        pass


def test_first_come_first_served() -> None:
    """Nobody who comes again at once, and again, keeps those waiting who came before."""
    turns, served = Turns(1, wait_seconds=600), []
    turns.hold()

    def take(number: int) -> None:
        with turns.turn():
            served.append(number)

    with ThreadPoolExecutor(MOST_WAITING) as pool:
        for number in range(MOST_WAITING):
            pool.submit(take, number)
            while len(turns._queue) <= number:
                time.sleep(0.001)
        turns.let_go()
    assert served == list(range(MOST_WAITING))


def test_an_error_gives_turn_and_place_back() -> None:
    turns = Turns(1, wait_seconds=0.001)
    for _ in range(2 + MOST_WAITING):
        with pytest.raises(ZeroDivisionError), turns.turn():
            raise ZeroDivisionError


def test_those_who_wait_when_a_process_forks_take_no_place_in_the_child(full_password_turns: Turns) -> None:
    """They are not there, and would never give it back."""
    child = os.fork()
    if not child:
        with suppress(TooManyAttempts), full_password_turns.turn():
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
