"""Fixtures that every kind of test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["databases"]

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; the test skips where it is absent."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}")
    return folder


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """Where `make weights` puts the published weights (REKNIT_WEIGHTS_DIR, else the user's cache)."""
    from services.settings import Settings

    folder = Settings().weights_cache_dir
    if not folder.is_dir() and os.environ.get("CI") != "true":
        pytest.skip(f"no weights at {folder}: run `make weights`")
    return folder
