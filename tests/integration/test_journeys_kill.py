"""A rebuild that is killed leaves the journeys as they were or as they were to be."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from journey_site import JourneySite, looks_of

from services.journeys.keeper import JourneyKeeper

_REBUILDER = """
import sys
from services.journeys.keeper import JourneyKeeper
from services.storage.journeys_writing import JourneyWriter
from services.storage.session import Database

link = JourneyWriter.link
def told(self, *args, **options):
    link(self, *args, **options)
    print("linked", flush=True)
JourneyWriter.link = told
with Database(sys.argv[1]) as database:
    print("ready", flush=True)
    JourneyKeeper(database).rebuild()
    print("done", flush=True)
"""


def kill_rebuild(url, *, after, wait_s):
    """Starts a rebuild and kills it when it has told so many lines and a little time went by."""
    with subprocess.Popen([sys.executable, "-c", _REBUILDER, url], stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            after -= "journeys.built" not in line
            if after <= 0:
                break
        time.sleep(wait_s)
        child.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_rebuild_leaves_old_or_new_and_nothing_between(database):
    site = JourneySite(database)
    site.begin()
    for place in range(24):
        site.see(
            place % 4, ("gate", "hall")[place // 4 % 2], 200 * (place // 8) + 20 * (place // 4 % 2) + 5 * (place % 4)
        )
    site.keeper().rebuild()
    old = {number: site.journey_of(number) for group in site.groups() for number in group}
    before = site.groups()
    site.promote_newer({number: looks_of((number * 5) % 8) for number in old})
    url = database._url.render_as_string(hide_password=False)
    for after, wait_s in ((1, 0.0), (2, 0.0), (3, 0.0), (5, 0.0), (2, 0.005)):
        kill_rebuild(url, after=after, wait_s=wait_s)
        if site.groups() != before:
            break
        assert {number: site.journey_of(number) for number in old} == old
    JourneyKeeper(database).rebuild()
    after = site.groups()
    assert after != before
    assert JourneyKeeper(database).rebuild().changed == 0
    with database.read() as session:
        from services.storage.journeys import JourneyRepository

        stored = JourneyRepository(session)
        assert stored.state().generation_id == stored.by_id(site.journey_of(1)).links[0].generation_id
