from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.learning.augmentation import Augmentation, augment

_NOTHING = Augmentation(flip=0, zoom=0, exposure=0, cast=0, gamma=0, shade=0, erase=0)


def _pictures(count=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 16, 3), dtype=np.uint8)


def test_everything_turned_off_changes_nothing():
    assert np.array_equal(augment(_pictures(), _NOTHING, np.random.default_rng(0)), _pictures())


def test_a_certain_flip_mirrors():
    flipped = augment(_pictures(), replace(_NOTHING, flip=1.0), np.random.default_rng(0))
    assert np.array_equal(flipped, _pictures()[:, :, ::-1])


def test_equal_generators_change_alike_and_others_do_not():
    one, same, other = (augment(_pictures(), Augmentation(), np.random.default_rng(n)) for n in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_pictures_given_stay_as_they_are():
    pictures = _pictures()
    augment(pictures, Augmentation(erase=1.0), np.random.default_rng(0))
    assert np.array_equal(pictures, _pictures())


def test_an_exposure_moves_all_channels_alike_and_a_cast_does_not():
    grey = np.full((50, 8, 8, 3), 100, np.uint8)
    exposed = augment(grey, replace(_NOTHING, exposure=0.3), np.random.default_rng(0))
    assert (exposed == exposed[..., :1]).all()
    assert len(np.unique(exposed)) > 20
    cast = augment(grey, replace(_NOTHING, cast=0.3), np.random.default_rng(0))
    assert (cast != cast[..., :1]).any()


def test_a_rectangle_of_the_stated_size_is_erased():
    black = np.zeros((30, 40, 20, 3), np.uint8)
    erased = augment(black, replace(_NOTHING, erase=1.0, erased=(0.5, 0.5)), np.random.default_rng(0)).any(axis=3)
    assert all(picture.sum() in {0, 20 * 10} for picture in erased)  # 0: the colour drawn was black
    assert erased.any()


def test_an_empty_batch_keeps_its_shape():
    assert augment(_pictures(0), Augmentation(), np.random.default_rng(0)).shape == (0, 32, 16, 3)


def test_what_is_no_batch_of_pictures_is_refused():
    with pytest.raises(ValueError, match="uint8 of shape"):
        augment(np.zeros((2, 8, 8, 3), np.float32), Augmentation(), np.random.default_rng(0))
    with pytest.raises(ValueError, match="uint8 of shape"):
        augment(np.zeros((8, 8, 3), np.uint8), Augmentation(), np.random.default_rng(0))
