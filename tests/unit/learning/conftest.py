"""Small sites that whole cycles learn from."""

from __future__ import annotations

import pytest
from learning_sets import make_set


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the stored tracklets of ten people at two cameras; steps may be run in it."""
    folder = tmp_path_factory.mktemp("site")
    make_set(people=10, crops=4)[0].save(folder / "tracklets")
    return folder


@pytest.fixture
def folder(site, tmp_path):
    """A fresh folder for a cycle over the same tracklets."""
    (tmp_path / "tracklets").symlink_to(site / "tracklets")
    return tmp_path
