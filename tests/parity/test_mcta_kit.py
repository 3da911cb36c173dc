"""Our steps and MCTA against the public Python form of the challenge's kit.

``mcta_kit.json`` holds six made-up sites of three cameras whose views do not overlap (rows of camera, frame, id, place;
places are 100 px apart) and what lockxuan/python-MCTA-Multiple-Camera-Tracking-Accuracy (commit 98906322, without its
progress bar and its printing) counted on them. That code states no licence, so only its numbers are kept here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reid_core.metrics.mot_boxes import MotBoxes
from reid_core.metrics.multi_camera import evaluate_multi_camera

SITES = json.loads((Path(__file__).parent / "mcta_kit.json").read_text())
NAMES = {
    "GT": "gt",
    "result": "results",
    "within": "truepos_s",
    "within_mismatches": "mismatch_s",
    "across": "truepos_c",
    "across_mismatches": "mismatch_c",
}


def by_camera(rows: list[list[int]]) -> dict[str, MotBoxes]:
    cameras = {}
    for camera in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == camera]
        boxes = [[100 * place, 0, 100 * place + 40, 80] for _, _, _, place in own]
        cameras[str(camera)] = MotBoxes.of([row[1] for row in own], [row[2] for row in own], boxes)
    return cameras


@pytest.mark.parametrize("site", SITES, ids=range(len(SITES)))
def test_every_count_and_the_figure_are_the_kits(site: dict):
    scores = evaluate_multi_camera(by_camera(site["truth"]), by_camera(site["result"])).as_dict()
    assert {theirs: scores[ours] for ours, theirs in NAMES.items()} == {
        name: site["kit"][name] for name in NAMES.values()
    }
    assert scores["MCTA"] == pytest.approx(100 * site["kit"]["mcta"], abs=1e-9)
    assert min(scores["within_mismatches"], scores["across_mismatches"]) > 0
