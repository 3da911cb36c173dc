from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from fusion_lists import images, walkers

from reid_core.errors import FusionHarnessError
from reid_core.evaluation.fusion.appearance import Appearance, AppearanceRecipe, tracklets_of
from reid_core.evaluation.fusion.lists import TimedLists

FROZEN = [[0.0857993, 0.0330485, -0.0728029], [-0.0744226, -0.0279505, 0.0556435], [0.1346541, -0.0335171, 0.0572856]]
STILL = dict.fromkeys(("tracklet_offset", "camera_offset", "image_noise"), 0.0)


def test_the_recipe_is_frozen():
    assert asdict(AppearanceRecipe()) == {
        "dim": 64,
        "group_size": 8,
        "group_share": 0.5,
        "badness_sigma": 1.5,
        "drift": 1.0,
        "drift_in_group": 0.5,
        "tracklet_offset": 0.3,
        "camera_offset": 0.3,
        "image_noise": 1.0,
        "max_gap_frames": 500,
    }


def test_the_draws_are_frozen():
    features = Appearance(walkers(10), seed=1).features(0.2)
    seen = [features.train[0, :3], features.query[5, :3], features.gallery[-1, :3]]
    assert np.allclose(seen, FROZEN, atol=1e-6), np.array(seen).tolist()


def test_the_same_seed_gives_the_same_looks_and_another_seed_others():
    lists = walkers(10)
    looks = [Appearance(lists, seed=seed).features(0.2).gallery for seed in (1, 1, 2)]
    assert np.array_equal(looks[0], looks[1])
    assert not np.allclose(looks[0], looks[2])


def test_features_have_unit_length_and_one_row_for_each_image():
    lists = walkers(10)
    features = Appearance(lists, seed=1).features(0.3)
    for part in ("train", "query", "gallery"):
        vectors = getattr(features, part)
        assert vectors.shape == (len(getattr(lists, part)), 64)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_at_strength_zero_everybody_looks_like_themselves_only():
    lists = walkers(10)
    features = Appearance(lists, seed=1).features(0)
    alike = features.query @ features.gallery.T > 1 - 1e-6
    assert np.array_equal(alike, lists.query.person_ids[:, None] == lists.gallery.person_ids[None, :])


def test_training_people_are_not_test_people_of_the_same_number():
    lists = walkers(10)
    features = Appearance(lists, seed=1).features(0)
    assert (features.query @ features.train.T).max() < 0.999


def test_half_of_a_look_is_shared_within_a_group_of_look_alikes():
    lists = walkers(300)
    features = Appearance(lists, seed=1).features(0)
    first = np.unique(lists.query.person_ids, return_index=True)[1]
    alike = (features.query[first] @ features.query[first].T)[np.triu_indices(300, 1)]
    in_group = alike[alike > 0.35]
    assert in_group.mean() == pytest.approx(0.5, abs=0.08)
    groups = (300 + 300 + 20) // 8  # test people, training people, distractors
    assert len(in_group) == pytest.approx(300 * 299 / 2 / groups, rel=0.2)
    assert alike[alike <= 0.35].mean() == pytest.approx(0, abs=0.02)


def test_a_bad_tracklet_looks_like_another_person_and_not_like_nobody():
    lists = walkers(40)
    true = Appearance(lists, seed=1).features(0).gallery
    drifted = Appearance(lists, seed=1, recipe=AppearanceRecipe(**STILL)).features(1e6).gallery
    people = lists.gallery.person_ids > 0
    everybody = np.concatenate([true, Appearance(lists, seed=1).features(0).train])
    nearest = (drifted[people] @ everybody.T).max(axis=1)
    assert np.mean(nearest > 1 - 1e-4) > 0.9  # the rest drifted to distractors outside the gallery's people
    assert np.mean(np.einsum("gd,gd->g", drifted, true)[people] > 0.99) < 0.2


def test_images_of_one_tracklet_are_wrong_together():
    lists = walkers(40)
    recipe = AppearanceRecipe(image_noise=0.0)
    gallery = Appearance(lists, seed=1, recipe=recipe).features(1).gallery[:240]
    assert np.allclose(gallery[::2], gallery[1::2], atol=1e-6)


def test_tracklets_break_at_another_person_another_camera_and_a_long_gap_only():
    seen = images((1, 1, 0), (1, 1, 500), (1, 1, 1001), (1, 2, 1001), (2, 2, 1001))
    assert tracklets_of(seen, max_gap_frames=500).tolist() == [0, 0, 1, 2, 3]


def test_the_order_of_images_does_not_change_tracklets():
    seen = walkers(6).gallery
    order = np.random.default_rng(0).permutation(len(seen))
    mixed = type(seen)(seen.person_ids[order], seen.camera_ids[order], seen.frames[order])
    assert np.array_equal(tracklets_of(mixed, max_gap_frames=500), tracklets_of(seen, max_gap_frames=500)[order])


def test_one_lonely_image_in_each_part_is_enough():
    lists = TimedLists(images((0, 1, 0)), images((1, 1, 0)), images((1, 2, 0)))
    assert Appearance(lists, seed=0).features(1).gallery.shape == (1, 64)


def test_a_negative_seed_is_refused():
    with pytest.raises(FusionHarnessError, match="0 or more, got -1"):
        Appearance(walkers(3), seed=-1)
