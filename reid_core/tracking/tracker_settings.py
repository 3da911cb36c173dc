"""How a tracker decides. One set of defaults serves every camera: lengths are shares of a box, times are frames."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["TrackerSettings"]

_COUNTS = ("confirm_frames", "patience_frames", "look_every_frames")
_UNBOUNDED = (
    "acceleration",
    "place_noise",
    "size_noise",
    "first_speed",
    "looks_weight",
    "relink_reach",
    "absence_cost",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """Every choice of the tracker; confidences, costs, shares and likenesses lie in ``[0, 1]``.

    Attributes:
        sure_confidence: Detections from here on are matched first, and start a track where none takes them.
        weak_confidence: Detections from here on may continue a confirmed track.
        certain_confidence: A track is confirmed at once by a detection as confident as this.
        confirm_frames: Frames in a row in which a track must be seen before it is confirmed and reported.
        patience_frames: Frames a track may be out of sight before it is closed.
        margin: Boxes are grown by this share of their sides before they are compared.
        sure_limit: Pairs of a confirmed track and a sure detection must cost less.
        weak_limit: Pairs of a confirmed track and a weak detection must cost less.
        tentative_limit: Pairs of a tentative track and a sure detection must cost less.
        absence_cost: Added to the cost of a track that was out of sight for thirty frames, in proportion below.
        acceleration: Deviation of the motion model's acceleration, in heights a frame squared.
        place_noise: Deviation of a detected centre, in heights.
        size_noise: Deviation of detected width and height, in heights.
        first_speed: Deviation of a new track's velocity, in heights a frame.
        detected_share: Share of the detected box in the reported one; the rest is the motion model's.
        confidence_trust: How much of a detection's variance a confidence of 1 takes away.
        looks_weight: What a difference of 1 in likeness adds to the cost of a contested pair.
        usual_likeness: The likeness that adds nothing; below it a pair costs more, above it less.
        doubtful_cost: Looks are also asked where a lone pair costs more than this.
        relink_likeness: A lost track is taken up again elsewhere by someone at least this alike.
        relink_reach: How far from its expected place that may be, in heights.
        relink_growth: How much further it may be for each frame of absence, in heights.
        relink_resize: By which share their heights may differ.
        hidden_share: Boxes of which another covers more than this teach nothing about a track's looks.
        look_every_frames: A track's looks are refreshed each time it was seen this often.
        looks_inertia: The share of the old in a refreshed look.
    """

    sure_confidence: float = 0.55
    weak_confidence: float = 0.1
    certain_confidence: float = 0.95
    confirm_frames: int = 4
    patience_frames: int = 45
    margin: float = 0.3
    sure_limit: float = 0.8
    weak_limit: float = 0.6
    tentative_limit: float = 0.55
    absence_cost: float = 1.0
    acceleration: float = 0.005
    place_noise: float = 0.06
    size_noise: float = 0.3
    first_speed: float = 0.03
    detected_share: float = 0.4
    confidence_trust: float = 0.95
    looks_weight: float = 1.5
    usual_likeness: float = 0.85
    doubtful_cost: float = 0.5
    relink_likeness: float = 0.9
    relink_reach: float = 0.7
    relink_growth: float = 0.02
    relink_resize: float = 0.3
    hidden_share: float = 0.1
    look_every_frames: int = 10
    looks_inertia: float = 0.95

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _COUNTS:
                if value < 1:
                    raise ValueError(f"{field.name} must be at least 1, got {value}")
            elif not 0 <= value <= (float("inf") if field.name in _UNBOUNDED else 1):
                raise ValueError(f"{field.name} is out of range, got {value}")
        if not self.weak_confidence <= self.sure_confidence <= self.certain_confidence:
            raise ValueError("confidences must rise from weak over sure to certain")
