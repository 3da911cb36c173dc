from __future__ import annotations

from types import SimpleNamespace

import pytest

from services.cli.demo_report import reranking_verdict, results


class Retrieval:
    """Stands in for a `SiteRetrieval`."""

    def __init__(self, rank1, mean_ap):
        self._figures = {"rank1": rank1, "map": mean_ap}

    def as_dict(self):
        return self._figures


def scored(reranked):
    answers = SimpleNamespace(retrieval=Retrieval(0.84, 0.86), calibration=lambda: {"ece": 0.02})
    learned = SimpleNamespace(
        looks=SimpleNamespace(retrieval=Retrieval(0.8, 0.81)),
        answers=answers,
        reranked=reranked,
        with_transit=lambda: answers.retrieval,
        association={},
        clock_offset_error_s=None,
        clocks_unidentified=0,
    )
    tracking = SimpleNamespace(as_dict=lambda: {"HOTA": 50.0})
    cold = SimpleNamespace(retrieval=Retrieval(0.3, 0.35), tracking=tracking)
    return SimpleNamespace(cold=cold, learned=learned, report=None, journeys={})


def test_re_ranked_places_stand_beside_the_others():
    retrieval = results(scored(Retrieval(0.87, 0.88)), {})["retrieval"]
    assert list(retrieval) == ["cold_start", "learned", "with_transit", "reranked"]
    assert retrieval["reranked"] == {"rank1": 0.87, "map": 0.88}
    assert "reranked" not in results(scored(None), {})["retrieval"]


@pytest.mark.parametrize(
    ("rank1", "mean_ap", "said"),
    [
        (0.9, 0.88, "helped here: mAP 0.860 without, 0.880 with; rank-1 "),
        (0.1, 0.88, "helped the whole ranking here, not its first place: mAP 0.860 without"),
        (0.9, 0.86, "did not help here"),
        (0.9, 0.81, "did not help here: mAP 0.860"),
    ],
)
def test_it_is_said_whether_re_ranking_helped(rank1, mean_ap, said):
    assert said in reranking_verdict(scored(Retrieval(rank1, mean_ap)).learned)


def test_nothing_is_said_where_nothing_was_re_ranked():
    assert reranking_verdict(None) is None
    assert reranking_verdict(scored(None).learned) is None
    assert reranking_verdict(scored(Retrieval(None, None)).learned) is None
