"""What the outbox promises, on every database."""

from __future__ import annotations

import threading

import pytest

from services.storage.outbox import Outbox


def test_events_come_back_in_order_after_a_number(database):
    with database.write() as session:
        outbox = Outbox(session, clock=lambda: 12.5)
        assert outbox.last_seq() == 0
        numbers = [outbox.append("test.thing", {"n": n, "text": "ä"}) for n in range(4)]
    with database.read() as session:
        outbox = Outbox(session)
        assert [event.payload["n"] for event in outbox.after(0)] == [0, 1, 2, 3]
        assert [event.seq for event in outbox.after(numbers[1])] == numbers[2:]
        assert [event.seq for event in outbox.after(0, limit=2)] == numbers[:2]
        assert outbox.after(numbers[-1]) == []
        assert outbox.last_seq() == numbers[-1]
        assert outbox.after(0)[0].created_at_s == 12.5
        assert outbox.after(0)[0].payload == {"n": 0, "text": "ä"}


def test_an_event_of_a_failed_transaction_is_never_told(database):
    def fail() -> None:
        with database.write() as session:
            Outbox(session).append("test.thing", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as session:
        assert Outbox(session).after(0) == []


def test_a_follower_misses_nothing_while_many_write(database):
    """Each writer pauses between drawing its number and its commit; the follower reads on from what it saw last."""
    writers, each = 4, 15
    done = threading.Event()

    def write(writer: int) -> None:
        for n in range(each):
            with database.write() as session:
                Outbox(session).append("test.thing", {"writer": writer, "n": n})
                done.wait(0.001 * ((writer + n) % 3))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < writers * each:
        with database.read() as session:
            seen += [event.seq for event in Outbox(session).after(seen[-1] if seen else 0)]
        if not any(thread.is_alive() for thread in threads):
            with database.read() as session:
                seen += [event.seq for event in Outbox(session).after(seen[-1])]
            break
    for thread in threads:
        thread.join()
    assert len(seen) == writers * each
    assert seen == sorted(set(seen))
