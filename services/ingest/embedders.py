"""The embedders that an ingest needs: of the generation that answers and of every candidate, also of one that comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from reid_core.errors import ReknitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reid_core.ports import Embedder

__all__ = ["LiveEmbedders"]


class LiveEmbedders:
    """Embedders by model, kept up with the models that generations name; for one thread.

    Without the current generation's model an ingest cannot go on. A candidate's that cannot be loaded is told of and
    passed over: the candidate lacks vectors then and is not promoted before they are made up for.

    Args:
        first: The embedder that is at hand.
        make: Makes the embedder of another model.
    """

    def __init__(self, first: Embedder, make: Callable[[str], Embedder]) -> None:
        self._make = make
        self._loaded: dict[str, Embedder] = {first.model_id: first}
        self._unusable: set[str] = set()
        self._live: tuple[str, ...] = (first.model_id,)
        self._log: Any = structlog.get_logger()

    @property
    def in_use(self) -> list[Embedder]:
        """What a tracklet is embedded with, the current generation's first."""
        return [self._loaded[model_id] for model_id in self._live if model_id in self._loaded]

    def lack(self, live: Sequence[str]) -> bool:
        """True if one of the models is not in use but could be."""
        ready = {embedder.model_id for embedder in self.in_use}
        return any(model_id not in ready and model_id not in self._unusable for model_id in live)

    def follow(self, live: Sequence[str]) -> None:
        """Use exactly these models from now on, the current generation's first.

        Raises:
            ReknitError: If the first one cannot be loaded.
        """
        if tuple(live) == self._live:
            return
        for place, model_id in enumerate(live):
            if model_id not in self._loaded:
                self._load(model_id, is_current=place == 0)
        self._live = tuple(live)
        self._loaded = {model_id: self._loaded[model_id] for model_id in live if model_id in self._loaded}

    def _load(self, model_id: str, *, is_current: bool) -> None:
        try:
            self._loaded[model_id] = self._make(model_id)
        except ReknitError as error:
            if is_current:
                raise
            if model_id not in self._unusable:
                self._unusable.add(model_id)
                self._log.warning("ingest.candidate_not_loaded", model_id=model_id, error=str(error))
