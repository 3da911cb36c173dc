"""The thread that keeps journeys up."""

from __future__ import annotations

from threading import Event

import pytest
import structlog
from journey_site import JourneySite

from reid_core.errors import StorageError
from services.journeys.following import JourneyFollower
from services.journeys.keeper import JourneyKeeper


@pytest.fixture
def site(sqlite_database):
    made = JourneySite(sqlite_database)
    made.begin()
    made.see(0, "gate", 0)
    return made


def test_what_is_stored_comes_into_journeys_by_itself(site, monkeypatch):
    looked, look = Event(), JourneyKeeper.catch_up

    def heard(self):
        kept = look(self)
        looked.set()
        return kept

    monkeypatch.setattr(JourneyKeeper, "catch_up", heard)
    with JourneyFollower(site.database, every_s=0.001):
        assert looked.wait(30)
        site.see(0, "hall", 20)
        looked.clear()
        assert looked.wait(30)
        looked.clear()
        assert looked.wait(30), "the look after the one that may have been under way"
    assert site.groups() == [(1, 2)]


def test_a_failure_is_told_and_the_journeys_are_built_again_after_it(site, monkeypatch):
    follower = JourneyFollower(site.database, every_s=10.0)
    look = JourneyKeeper.catch_up

    def broken(_self):
        raise StorageError("out of reach")

    monkeypatch.setattr(JourneyKeeper, "catch_up", broken)
    with structlog.testing.capture_logs() as logs:
        waits = [follower._look() for _ in range(4)]
    assert waits == [20.0, 40.0, 60.0, 60.0]
    assert logs[0]["event"] == "journeys.behind"
    monkeypatch.setattr(JourneyKeeper, "catch_up", look)
    assert follower._look() == 10.0
    assert site.groups() == [(1,)]
