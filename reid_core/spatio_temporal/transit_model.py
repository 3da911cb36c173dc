"""The transit model of a site: evidence of time (and of the ways people take) for or against one person."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from reid_core.spatio_temporal.clocks import ClockOffsets
from reid_core.spatio_temporal.density import LinkDensity, peak_from_json
from reid_core.spatio_temporal.gaps import Background
from reid_core.spatio_temporal.lookup import LinkTable, link_table
from reid_core.spatio_temporal.physique import Physique
from reid_core.spatio_temporal.zones import Zones, zones_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["TransitModel"]

_BLOCK: Final = 1 << 21
_FORM: Final = "reknit-transit-1"


@dataclass(frozen=True, eq=False)
class TransitModel:
    """What was learned of a site's ways and clocks.

    A pair of sightings of cameras A and B may be one person who went from A to B, one who went from B to A, or neither:
    the evidence is the logarithm of ``(1 - sum of shares + sum over both ways and their peaks of share * likelier)``
    over ``beyond``, never below `floor`. An outlier is as likely as anybody's gap, so a rare walker loses at most the
    logarithm of the outliers' share: time never vetoes. Gaps longer than any that was compared give no evidence.

    Attributes:
        links: Of each DIRECTED pair of camera ids; pairs that are missing give no evidence.
        offsets: How far each camera's clock is ahead; unidentified ones count as right.
        zones: By camera id.
        floor: No pair's evidence of time is below it, in nats, at most 0.
        physique: What heights and paces say, which is added to what times say; ``None``: nothing.
    """

    links: Mapping[tuple[str, str], LinkDensity]
    offsets: ClockOffsets
    zones: Mapping[str, Zones]
    floor: float = -3.0
    physique: Physique | None = None

    def corrected(self, sightings: Sightings) -> Sightings:
        """The sightings by corrected clocks: each camera's offset taken off, where it is known."""
        return sightings.shifted(-self.offsets.seconds(sightings.camera_ids))

    def pair_llr(self, one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Log-likelihood ratio of one person against two, row by row.

        Args:
            one: N sightings.
            other: As many of the same site.

        Returns:
            Nats; of time at least `floor`, and 0 for unknown clocks and gaps beyond all that were compared. Nothing is
            said of pairs of one camera and of unseen links. Shape ``(N,)``.

        Raises:
            ValueError: If the lengths or the cameras differ.
        """
        if len(one) != len(other):
            raise ValueError(f"{len(one)} and {len(other)} sightings do not pair up")
        a, b = self._prepared(one, other)
        found = np.zeros(len(one))
        codes = one.cameras * len(one.camera_ids) + other.cameras
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            tables = self._both_ways(one.camera_ids, *divmod(code, len(one.camera_ids)))
            if tables is not None:
                found[rows] = self._evidence(tables, a.take(rows), b.take(rows))
        return found

    def llr_matrix(self, one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """The same for every sighting of the one with every sighting of the other. Shape ``(N, M)``.

        Raises:
            ValueError: If the cameras differ.
        """
        a, b = self._prepared(one, other)
        found = np.zeros((len(one), len(other)))
        for camera_a in np.unique(one.cameras).tolist():
            for camera_b in np.unique(other.cameras).tolist():
                tables = self._both_ways(one.camera_ids, camera_a, camera_b)
                if tables is None:
                    continue
                columns = np.flatnonzero(other.cameras == camera_b)
                rows = np.flatnonzero(one.cameras == camera_a)
                step = max(1, _BLOCK // len(columns))
                for start in range(0, len(rows), step):
                    some = rows[start : start + step]
                    block = self._evidence(tables, a.take(some).column(), b.take(columns))
                    found[np.ix_(some, columns)] = block
        return found

    def to_json(self) -> dict[str, Any]:
        """A document that a person can read; `from_json` gives the same model back, up to its rounding."""
        return {
            "form": _FORM,
            "floor": self.floor,
            "clocks": self.offsets.to_json(),
            "zones": {camera: zones.to_json() for camera, zones in sorted(self.zones.items())},
            "links": [{"from": a, "to": b, **link.to_json()} for (a, b), link in sorted(self.links.items())],
            **({} if self.physique is None else {"physique": self.physique.to_json()}),
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> TransitModel:
        """The inverse of `to_json`.

        Raises:
            ValueError: If the document is of another form or lacks something.
        """
        if document.get("form") != _FORM:
            raise ValueError(f"not a transit model of form {_FORM}: {document.get('form')!r}")
        try:
            links = {(link["from"], link["to"]): _link_from_json(link) for link in document["links"]}
            return TransitModel(
                links=MappingProxyType(links),
                offsets=ClockOffsets.from_json(document["clocks"]),
                zones=MappingProxyType({c: Zones.from_json(spots) for c, spots in document["zones"].items()}),
                floor=float(document["floor"]),
                physique=Physique.from_json(document["physique"]) if "physique" in document else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a whole transit model: {error!r}") from error

    @cached_property
    def transit_id(self) -> str:
        """Names the model by what it holds."""
        document = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return f"transit-{hashlib.sha256(document.encode()).hexdigest()[:16]}"

    @cached_property
    def _tables(self) -> dict[tuple[str, str], LinkTable]:
        return {pair: link_table(link) for pair, link in self.links.items()}

    def _both_ways(self, camera_ids: tuple[str, ...], a: int, b: int) -> tuple[LinkTable, LinkTable] | None:
        there, back = (camera_ids[a], camera_ids[b]), (camera_ids[b], camera_ids[a])
        if a == b or there not in self._tables or back not in self._tables:
            return None
        return self._tables[there], self._tables[back]

    def _prepared(self, one: Sightings, other: Sightings) -> tuple[_Timed, _Timed]:
        if one.camera_ids != other.camera_ids:
            raise ValueError(f"sightings of different sites: {one.camera_ids} and {other.camera_ids}")
        return self._timed(one), self._timed(other)

    def _timed(self, sightings: Sightings) -> _Timed:
        right = self.corrected(sightings)
        entries, exits = zones_of(sightings, self.zones)
        figures = None if self.physique is None else self.physique.figures(sightings)
        return _Timed(right.starts_s, right.ends_s, entries, exits, figures)

    def _evidence(self, tables: tuple[LinkTable, LinkTable], a: _Timed, b: _Timed) -> NDArray[np.float64]:
        there, back = tables
        onward = b.starts_s - a.ends_s
        odds = there.look_up(onward, a.exits, b.entries)
        returned = a.starts_s - b.ends_s
        odds += back.look_up(returned, b.exits, a.entries)
        odds += 1 - min(1.0, there.share + back.share)
        with np.errstate(divide="ignore"):
            evidence: NDArray[np.float64] = np.maximum(np.log(odds / there.beyond), self.floor)
        compared = np.maximum(onward, returned) <= max(there.reach_s, back.reach_s)
        of_time: NDArray[np.float64] = np.where(compared, evidence, 0.0)
        if self.physique is None or a.figures is None or b.figures is None:
            return of_time
        return of_time + self.physique.evidence(a.figures, b.figures)


@dataclass(frozen=True, slots=True, eq=False)
class _Timed:
    """Corrected times, zones and figures of some sightings."""

    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    entries: NDArray[np.int64]
    exits: NDArray[np.int64]
    figures: NDArray[np.float64] | None

    def take(self, rows: NDArray[np.intp]) -> _Timed:
        figures = None if self.figures is None else self.figures[rows]
        return _Timed(self.starts_s[rows], self.ends_s[rows], self.entries[rows], self.exits[rows], figures)

    def column(self) -> _Timed:
        times = self.starts_s[:, None], self.ends_s[:, None]
        figures = None if self.figures is None else self.figures[:, None]
        return _Timed(*times, self.entries[:, None], self.exits[:, None], figures)


def _link_from_json(document: Mapping[str, Any]) -> LinkDensity:
    """Documents from before windows of time were compared lack ``beyond``; theirs was 1 without being said."""
    peaks = tuple(peak_from_json(peak) for peak in document["peaks"])
    background = Background.from_json(document["background"])
    return LinkDensity(peaks, background, float(document["pairs"]), float(document.get("beyond", 1.0)))
