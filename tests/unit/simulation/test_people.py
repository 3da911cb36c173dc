from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from reid_core.simulation.people import make_people
from reid_core.simulation.settings import DIFFICULTIES, SiteSettings
from reid_core.simulation.wardrobe import COLOURS, draw_outfit, shift_shades


@pytest.mark.parametrize("difficulty", list(DIFFICULTIES))
@pytest.mark.parametrize("seed", range(4))
def test_at_least_three_in_ten_share_an_outfit_with_someone(seed, difficulty):
    people = make_people(SiteSettings(seed=seed, difficulty=difficulty))
    worn = Counter(person.outfit for person in people)
    assert sum(worn[person.outfit] > 1 for person in people) >= 0.3 * len(people)


def test_uniform_groups_are_exactly_the_shared_outfits():
    people = make_people(SiteSettings(seed=7))
    groups = Counter(person.uniform_group for person in people if person.uniform_group)
    assert min(groups.values()) >= 2
    outfits = {person.uniform_group: person.outfit for person in people if person.uniform_group}
    assert all(person.outfit == outfits[person.uniform_group] for person in people if person.uniform_group)


def test_members_of_one_uniform_group_differ_in_body_and_speed():
    people = make_people(SiteSettings(seed=7))
    group = [person for person in people if person.uniform_group == 1]
    assert len({person.body for person in group}) == len(group)
    assert len({person.speed_mps for person in group}) == len(group)


def test_person_ids_count_from_one():
    assert [person.person_id for person in make_people(SiteSettings(people=3))] == [1, 2, 3]


def test_a_single_person_shares_with_nobody():
    (person,) = make_people(SiteSettings(people=1))
    assert person.uniform_group == 0


def test_streets_are_mostly_dark_and_grey():
    rng = np.random.default_rng(0)
    outfits = [draw_outfit(rng, DIFFICULTIES["default"]) for _ in range(2000)]
    bright = {COLOURS[name] for name in ("red", "green", "blue", "yellow", "orange", "pink")}
    assert sum(outfit.upper in bright for outfit in outfits) / len(outfits) == pytest.approx(0.05, abs=0.02)
    dark = {COLOURS[name] for name in ("black", "charcoal", "grey", "navy")}
    assert sum(outfit.upper in dark for outfit in outfits) / len(outfits) > 0.6


def test_shifted_shades_stay_near_and_in_range():
    rng = np.random.default_rng(0)
    outfit = draw_outfit(rng, DIFFICULTIES["default"])
    for _ in range(50):
        shifted = shift_shades(rng, outfit)
        assert all(12 <= part <= 236 for part in shifted.upper)
        assert max(abs(a - b) for a, b in zip(shifted.upper, outfit.upper, strict=True)) < 90
        assert shifted.pattern == outfit.pattern


def test_walking_speeds_are_log_normal_around_a_walkers():
    speeds = [person.speed_mps for person in make_people(SiteSettings(people=2000))]
    assert np.median(speeds) == pytest.approx(1.31, abs=0.03)
    assert np.std(np.log(speeds)) == pytest.approx(0.16, abs=0.02)
