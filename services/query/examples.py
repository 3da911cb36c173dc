"""Values that the API description shows as examples."""

from __future__ import annotations

TRACKLET_ID = "01980a6e-5c1f-7d3a-8b44-3f2f6f1f9a10"
OTHER_ID = "01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1"
GENERATION = {
    "generation_id": "01980a6e-1111-7c3a-8b44-3f2f6f1f9a10",
    "model_id": "site-cpu-4f2d9c1b0a7e3d55",
    "transit_id": "transit-7a0c41d2be95f6e8",
    "calibration_id": "calibration-19f3d08a6b2c47e1",
}
CROP_LINK = {"crop_no": 4, "href": f"/v1/tracklets/{OTHER_ID}/crops/4"}
TRACKLET = {
    "tracklet_id": OTHER_ID,
    "camera_id": "hall",
    "start": "2026-01-01T08:00:41.200000Z",
    "end": "2026-01-01T08:00:49.900000Z",
    "duration_s": 8.7,
    "clock_quality": "stated",
    "quality": 0.71,
    "crop_count": 18,
    "crops": [CROP_LINK],
}
PAIR = {
    "query": {"tracklet_id": TRACKLET_ID, "image": None, "crop_no": 2, "href": f"/v1/tracklets/{TRACKLET_ID}/crops/2"},
    "answer": CROP_LINK,
    "visual_distance": 0.18,
}
EVIDENCE = {
    "visual_distance": 0.23,
    "gap_s": 17.4,
    "crop_pairs": [PAIR],
    "probability": 0.94,
    "visual_log_odds": 5.31,
    "time_log_odds": 2.14,
    "visual_rank": 3,
    "refined_distance": 0.11,
    "plain_rank": 2,
}
MATCH = {**TRACKLET, "rank": 1, "evidence": EVIDENCE}
RERANKING = {"applied": True, "reason": None, "neighbours": 3, "neighbours_share": 0.62}
RANKING = {"by": "probability", "uses_time": True, "prior_log_odds": -4.7, "reranking": RERANKING}
PERSON = {"image": 0, "name": "gate.jpg", "size_px": [960, 540], "box_px": [402.0, 118.0, 471.0, 330.0]}
ANSWER = {
    "generation": GENERATION,
    "query": {"tracklet_ids": [TRACKLET_ID], "people": []},
    "ranking": RANKING,
    "matches": [MATCH],
}
LINK_DENSITY = {
    "from_camera": "gate",
    "to_camera": "hall",
    "pairs": 41.5,
    "peaks": [{"share": 0.62, "typical_gap_s": 14.8, "log_mean": 2.69, "log_sd": 0.31, "origin_s": 0.0}],
    "gaps_s": [0.0, 7.5, 15.0, 30.0],
    "densities": [0.0, 0.018, 0.071, 0.002],
    "background_densities": [0.004, 0.004, 0.004, 0.004],
    "log_odds": [-0.97, 1.1, 2.4, -0.6],
}
TOPOLOGY = {
    "generation": GENERATION,
    "clocks": [
        {"camera_id": "gate", "offset_s": 0.0, "error_s": 0.0, "component": 0},
        {"camera_id": "hall", "offset_s": None, "error_s": None, "component": 1},
    ],
    "clock_shifts": [
        {"cameras": ["gate", "yard"], "shift_s": 4.2, "error_s": 0.4, "residual_s": 0.1, "closes": True},
    ],
    "links": [LINK_DENSITY],
}
