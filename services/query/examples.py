"""Values that the API description shows as examples."""

from __future__ import annotations

TRACKLET_ID = "01980a6e-5c1f-7d3a-8b44-3f2f6f1f9a10"
OTHER_ID = "01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1"
GENERATION = {"generation_id": "01980a6e-1111-7c3a-8b44-3f2f6f1f9a10", "model_id": "cold-start-1-4f2d9c"}
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
MATCH = {**TRACKLET, "rank": 1, "evidence": {"visual_distance": 0.23, "gap_s": 17.4, "crop_pairs": [PAIR]}}
PERSON = {"image": 0, "name": "gate.jpg", "size_px": [960, 540], "box_px": [402.0, 118.0, 471.0, 330.0]}
ANSWER = {
    "generation": GENERATION,
    "query": {"tracklet_ids": [TRACKLET_ID], "people": []},
    "matches": [MATCH],
}
