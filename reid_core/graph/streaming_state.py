"""What of a growing graph is worth keeping: its lists, which cost a scan each; all else follows from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.streaming import StreamingGraph
from reid_core.graph.streaming_lists import NeighbourLists
from reid_core.graph.streaming_nodes import Nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.graph.joining import Joining
    from reid_core.retrieval.rows import IndexRows
    from reid_core.types import FloatArray

__all__ = ["GraphLists", "lists_of", "resumed"]

_CHECKED = 64
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class GraphLists:
    """The lists of a graph's nodes; no vector is among them.

    Attributes:
        numbers: Tracklet numbers, each once. Shape ``(n,)``, int64.
        others: Places in ``numbers``, most alike first, -1 behind the end of a list. Shape ``(n, k)``, int32.
        cosines: Shape ``(n, k)``, float32.
        factors: What time made of each. Shape ``(n, k)``, float32.
        whole: Which lists hold everybody there was. Shape ``(n,)``.
    """

    numbers: NDArray[np.int64]
    others: NDArray[np.int32]
    cosines: FloatArray
    factors: FloatArray
    whole: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together or are not what they should be."""
        count, shape = len(self.numbers), self.others.shape
        if len(shape) != 2 or shape[0] != count or self.cosines.shape != shape or self.factors.shape != shape:
            raise ValueError(f"{count} nodes cannot have lists of shapes {shape}, {self.cosines.shape}")
        if self.whole.shape != (count,) or len(np.unique(self.numbers)) != count:
            raise ValueError("each node must be there once")
        if self.others.size and not -1 <= int(self.others.min()) <= int(self.others.max()) < count:
            raise ValueError(f"others must be from -1 to {count - 1}")
        if not (np.isfinite(self.cosines).all() and np.isfinite(self.factors).all()):
            raise ValueError("cosines and factors must be finite")

    def as_arrays(self) -> dict[str, NDArray[np.generic]]:
        """By name, as a file holds them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def of_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> GraphLists:
        """From a file's arrays.

        Raises:
            ValueError: If one is missing, or they do not belong together.
        """
        kinds = {
            "numbers": np.int64,
            "others": np.int32,
            "cosines": np.float32,
            "factors": np.float32,
            "whole": np.bool_,
        }
        found = {}
        for name, kind in kinds.items():
            if name not in arrays or arrays[name].dtype != kind:
                raise ValueError(f"{name} is missing or of a wrong kind")
            found[name] = arrays[name]
        return GraphLists(**found)  # type: ignore[arg-type]  # each was just found to be of its kind


def lists_of(graph: StreamingGraph) -> GraphLists:
    """The lists as they are now."""
    numbers, lists = graph.kept_lists()
    count = len(numbers)
    whole = np.isneginf(lists.reach[:count])
    return GraphLists(numbers, lists.others[:count], lists.cosines[:count], lists.factors[:count], whole)


def resumed(
    saved: GraphLists,
    rows: IndexRows,
    *,
    joining: Joining,
    threads: int = 1,
) -> StreamingGraph:
    """The graph of those saved nodes that are still there; whoever came since is to be added.

    Args:
        saved: As `lists_of` told.
        rows: What is there now; vectors of the same model as then.
        joining: As it was then.
        threads: Of scans for several rows.

    Raises:
        ValueError: If the lists do not fit the joining, or were made of other vectors.
    """
    graph = StreamingGraph(rows.vectors.shape[1], joining=joining, threads=threads)
    length = graph.list_length
    if saved.others.shape[1] != length:
        raise ValueError(f"lists have {saved.others.shape[1]} entries, this joining needs {length}")
    place = {number: at for at, number in enumerate(rows.tracklet_nos.tolist())}
    alive = np.array([number in place for number in saved.numbers.tolist()], np.bool_)
    lists = _as_lists(saved).kept(alive)
    nodes = Nodes(graph.dim, threads=threads)
    nodes.append(rows.at(np.array([place[number] for number in saved.numbers[alive].tolist()], np.int64)))
    _require_same_vectors(nodes, lists)
    graph.take_over(nodes, lists)
    return graph


def _as_lists(saved: GraphLists) -> NeighbourLists:
    count = len(saved.numbers)
    lists = NeighbourLists(saved.others.shape[1])
    lists.make_room(count)
    lists.others[:count], lists.cosines[:count], lists.factors[:count] = saved.others, saved.cosines, saved.factors
    lists.counts[:count] = np.count_nonzero(saved.others >= 0, axis=1)
    last = np.maximum(lists.counts[:count] - 1, 0)
    lists.reach[:count] = np.where(saved.whole, -np.inf, saved.cosines[np.arange(count), last])
    return lists


def _require_same_vectors(nodes: Nodes, lists: NeighbourLists) -> None:
    """Compare some cosines with what they are now."""
    rows = np.flatnonzero(lists.counts[: len(nodes)] > 0)
    rows = rows[np.linspace(0, len(rows) - 1, min(_CHECKED, len(rows))).astype(np.int64)]
    now = np.einsum("nd,nd->n", nodes.codes.take(rows), nodes.codes.take(lists.others[rows, 0].astype(np.int64)))
    if (np.abs(now - lists.cosines[rows, 0]) > _TOLERANCE).any():
        raise ValueError("the lists were made of other vectors")
