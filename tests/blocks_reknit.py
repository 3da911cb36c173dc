"""The `reknit` command with the networks of `moving_blocks` in place of the real ones; all else is the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moving_blocks import BlockDetector, ColourEmbedder

from services import bootstrap
from services.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable


def use_blocks(replace: Callable[[object, str, Any], None] = setattr) -> None:
    """Put detector and embedder in place; ``replace`` is told what to set (a test's monkeypatch, say)."""
    replace(bootstrap, "make_detector", lambda *_arguments, **_options: BlockDetector())
    replace(bootstrap, "make_embedder", lambda *_arguments, **_options: ColourEmbedder())


if __name__ == "__main__":
    use_blocks()
    main()
