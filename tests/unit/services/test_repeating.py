"""A thread that repeats an act."""

from __future__ import annotations

from threading import Event

from services.repeating import Repeating


def test_an_act_is_repeated_until_the_block_ends():
    thrice, done = Event(), []

    def act():
        done.append(len(done))
        if len(done) == 3:
            thrice.set()
        return 0.0 if len(done) < 3 else 3600.0

    with Repeating(act, name="test", first_s=0.0):
        assert thrice.wait(10)
    assert done == [0, 1, 2]


def test_nothing_is_done_before_its_time():
    done = []
    with Repeating(lambda: done.append(1) or 1.0, name="test", first_s=3600.0):
        pass
    assert done == []
