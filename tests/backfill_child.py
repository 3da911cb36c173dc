"""A backfill and a promotion as a process that can be killed; counts aloud.

``python backfill_child.py URL BLOBS MODEL [GENERATION]``: with a generation, it is promoted when nothing is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from generation_site import TurnedColour

from services.storage.blobs import BlobStore
from services.storage.promotions import Promotions
from services.storage.session import Database
from services.trainer.backfill import backfill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.types import Embedding, ImageBGR


class Telling(TurnedColour):
    """Says after each tracklet how many it has embedded."""

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        made = super().embed(crops)
        print("embedded", self.embedded, flush=True)
        return made


def main(url: str, blobs: str, model_id: str, generation_id: str = "") -> None:
    """Embed what is missing, then promote."""
    with Database(url) as database:
        backfill(database, BlobStore(Path(blobs)), Telling(model_id), batch=2)
        if generation_id:
            print("promoting", flush=True)
            with database.write() as session:
                Promotions(session).promote(UUID(generation_id), reason="better")
                print("promoted", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
