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


def test_an_act_that_lasts_is_not_waited_for_longer_than_told():
    begun, may_end = Event(), Event()

    def act():
        begun.set()
        may_end.wait(30)
        return 1.0

    with Repeating(act, name="test", first_s=0.0, patience_s=0.01) as running:
        assert begun.wait(10)
    assert running._thread.is_alive()
    may_end.set()
    running._thread.join(10)
    assert not running._thread.is_alive()
