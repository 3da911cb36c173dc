"""Searches by tracklet and by picture over the whole service, and every way in which they are refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from reid_core.errors import WeightsError

UNKNOWN = "01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1"
BY_IMAGE = "/v1/searches/by-image"


def problem_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return body


def ranked(site, vector, *, without=(), only=None):
    """Tracklet ids by cosine, worked out from the vectors that were stored."""
    distances = {
        no: 1 - float(embedding.vector.astype(np.float16).astype(np.float32) @ vector)
        for no, embedding in site.embeddings.items()
        if no not in without and (only is None or no in only)
    }
    return [site.ids[no] for no in sorted(distances, key=distances.get)]


def ids_of(answer):
    assert answer.status_code == 200, answer.text
    return [match["tracklet_id"] for match in answer.json()["matches"]]


def upload(*pictures, kind="image/png"):
    return [("images", (f"{i}.png", data, kind)) for i, data in enumerate(pictures)]


def test_a_search_ranks_all_others_by_cosine(small_site):
    with small_site.served() as client:
        answer = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]]})
    assert ids_of(answer) == ranked(small_site, small_site.embeddings[1].vector, without={1})
    assert [match["rank"] for match in answer.json()["matches"]] == list(range(1, 10))
    assert answer.json()["query"] == {"tracklet_ids": [small_site.ids[1]], "people": []}
    assert answer.json()["generation"]["model_id"] == "fake-model-1"


def test_filters_act_inside_the_search(small_site):
    hall = {"camera_ids": ["hall"]}
    with small_site.served() as client:

        def search(filters, k=10):
            body = {"tracklet_ids": [small_site.ids[1]], "filters": filters, "k": k}
            return ids_of(client.post("/v1/searches", json=body))

        vector = small_site.embeddings[1].vector
        in_hall = ranked(small_site, vector, only={6, 7, 8})
        assert search(hall) == in_hall
        assert search(hall, k=2) == in_hall[:2]
        assert search({"exclude_camera_ids": ["gate", "yard"]}) == in_hall
        assert search({"min_quality": 0.7}) == in_hall
        assert search({"start": "2026-01-01T09:00:00Z"}) == in_hall
        assert search({"end": "2026-01-01T09:30:00+01:00"}) == ranked(small_site, vector, only={2, 3, 4, 5})
        assert search({"other_cameras_only": True}) == ranked(small_site, vector, only={6, 7, 8, 9, 10})


def test_an_answer_explains_itself(small_site):
    body = {"tracklet_ids": [small_site.ids[1]], "filters": {"camera_ids": ["hall"]}, "k": 1}
    with small_site.served() as client:
        match = client.post("/v1/searches", json=body).json()["matches"][0]
        pair = match["evidence"]["crop_pairs"][0]
        assert client.get(pair["query"]["href"]).headers["content-type"] == "image/jpeg"
        assert client.get(pair["answer"]["href"]).headers["content-type"] == "image/jpeg"
        assert client.get(match["crops"][0]["href"]).status_code == 200
    no = next(no for no, one in small_site.ids.items() if one == match["tracklet_id"])
    assert match["camera_id"] == "hall"
    assert match["start"].startswith("2026-01-01T09:0")
    # the query ends at 08:00:03; hall's tracklets start at 09:00, 09:01 and 09:02
    assert match["evidence"]["gap_s"] == 3597.0 + 60 * (no - 6)
    assert pair["query"]["tracklet_id"] == small_site.ids[1]
    assert pair["query"]["image"] is None
    distances = 1 - small_site.embeddings[1].crop_vectors @ small_site.embeddings[no].crop_vectors.T
    assert pair["visual_distance"] == pytest.approx(distances.min(), abs=2e-3)
    row, column = np.unravel_index(distances.argmin(), distances.shape)
    assert (pair["query"]["crop_no"], pair["answer"]["crop_no"]) == (2 - row, 2 - column)  # embedded in display order


def test_an_unknown_clock_gives_no_gap(small_site):
    body = {"tracklet_ids": [small_site.ids[1]], "filters": {"camera_ids": ["yard"]}}
    with small_site.served() as client:
        matches = client.post("/v1/searches", json=body).json()["matches"]
        windowed = client.post("/v1/searches", json=body | {"filters": {"end": "2100-01-01T00:00:00Z"}}).json()
    assert [(one["start"], one["evidence"]["gap_s"]) for one in matches] == [(None, None)] * 2
    assert "yard" not in {one["camera_id"] for one in windowed["matches"]}


def test_several_tracklets_make_one_query(small_site):
    both = small_site.embeddings[1].vector + small_site.embeddings[7].vector
    with small_site.served() as client:
        answer = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1], small_site.ids[7]]})
    assert ids_of(answer) == ranked(small_site, both, without={1, 7})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"tracklet_ids": []}, "#/tracklet_ids"),
        ({"tracklet_ids": ["nonsense"]}, "#/tracklet_ids/0"),
        ({"k": 0}, "#/k"),
        ({"k": 1001}, "#/k"),
        ({"colour": "red"}, "#/colour"),
        ({"filters": {"start": "2026-01-01T08:00:00"}}, "#/filters/start"),
        ({"filters": {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}}, "#/filters"),
        ({"filters": {"min_quality": -1}}, "#/filters/min_quality"),
    ],
)
def test_a_wrong_body_is_refused_by_place(small_site, changes, where):
    with small_site.served() as client:
        problem = problem_of(client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]]} | changes))
    assert problem["status"] == 422
    assert problem["type"] == "urn:reknit:problem:invalid-request"
    assert problem["errors"][0]["where"] == where


def test_a_body_that_is_no_json_is_refused(small_site):
    with small_site.served() as client:
        answer = client.post("/v1/searches", content=b"{", headers={"Content-Type": "application/json"})
    assert problem_of(answer)["status"] == 422


def test_an_unknown_tracklet_is_not_found(small_site):
    with small_site.served() as client:
        problem = problem_of(client.post("/v1/searches", json={"tracklet_ids": [UNKNOWN]}))
    assert (problem["status"], problem["detail"]) == (404, UNKNOWN)


def test_an_unknown_camera_is_refused(small_site):
    body = {"tracklet_ids": [small_site.ids[1]], "filters": {"camera_ids": ["attic"]}}
    with small_site.served() as client:
        assert problem_of(client.post("/v1/searches", json=body))["type"] == "urn:reknit:problem:unknown-camera"


def test_nothing_ingested_is_a_conflict(site, fakes):
    with site.served() as client:
        by_tracklet = problem_of(client.post("/v1/searches", json={"tracklet_ids": [UNKNOWN]}))
        by_image = problem_of(client.post(BY_IMAGE, files=upload(fakes.picture())))
    assert by_tracklet["status"] == by_image["status"] == 409
    assert by_tracklet["type"] == "urn:reknit:problem:no-generation"


def test_a_tracklet_without_a_vector_of_the_generation_is_a_conflict(site):
    site.begin(model_id="another-model")
    site.store(1)
    with site.served() as client:
        problem = problem_of(client.post("/v1/searches", json={"tracklet_ids": [site.ids[1]]}))
    assert (problem["status"], problem["type"]) == (409, "urn:reknit:problem:not-searchable")


def test_a_picture_finds_whom_it_shows(small_site, fakes):
    detector, embedder = fakes.FakeDetector(), fakes.FakeEmbedder(vectors=small_site.embeddings[7].vector[None])
    with small_site.served(detector=detector, embedder=embedder) as client:
        answer = client.post(BY_IMAGE, files=upload(fakes.picture()), data={"k": 3})
    body = answer.json()
    assert ids_of(answer) == ranked(small_site, small_site.embeddings[7].vector)[:3]
    assert body["matches"][0]["tracklet_id"] == small_site.ids[7]
    assert body["query"]["people"] == [
        {
            "image": 0,
            "name": "0.png",
            "size_px": [40, 80],
            "box_px": [5.0, 10.0, 25.0, 70.0],
            "confidence": pytest.approx(0.9),
            "people_found": 1,
        }
    ]
    assert embedder.seen == [(60, 20, 3)]
    assert body["matches"][0]["evidence"]["gap_s"] is None
    assert body["matches"][0]["evidence"]["crop_pairs"][0]["query"]["image"] == 0


def test_a_whole_picture_needs_no_detector(small_site, fakes):
    detector, embedder = fakes.FakeDetector(), fakes.FakeEmbedder()
    with small_site.served(detector=detector, embedder=embedder) as client:
        answer = client.post(BY_IMAGE, files=upload(fakes.picture()), data={"whole_image": "true"})
    assert answer.json()["query"]["people"][0]["box_px"] == [0.0, 0.0, 40.0, 80.0]
    assert answer.json()["query"]["people"][0]["confidence"] is None
    assert (detector.seen, embedder.seen) == ([], [(80, 40, 3)])


def test_several_pictures_make_one_query(small_site, fakes):
    vectors = np.stack([small_site.embeddings[2].vector, small_site.embeddings[8].vector])
    with small_site.served(embedder=fakes.FakeEmbedder(vectors=vectors)) as client:
        answer = client.post(BY_IMAGE, files=upload(fakes.picture(), fakes.picture(extension=".jpg")))
    assert ids_of(answer) == ranked(small_site, vectors.sum(axis=0))
    assert [person["name"] for person in answer.json()["query"]["people"]] == ["0.png", "1.png"]


def test_pictures_take_the_same_filters(small_site, fakes):
    with small_site.served() as client:
        answer = client.post(
            BY_IMAGE,
            files=upload(fakes.picture()),
            data={"camera_ids": ["hall", "gate"], "exclude_camera_ids": "gate", "start": "2026-01-01T09:00:30Z"},
        )
    assert sorted(ids_of(answer)) == sorted([small_site.ids[7], small_site.ids[8]])


def test_a_file_that_is_no_picture_is_refused(small_site):
    with small_site.served() as client:
        for data in (b"", b"hello", b"\xff\xd8\xff\xe0 broken", b"GIF89a" + bytes(50)):
            problem = problem_of(client.post(BY_IMAGE, files=upload(data)))
            assert (problem["status"], problem["type"]) == (422, "urn:reknit:problem:not-an-image")
            assert "0.png" in problem["detail"]


def test_a_picture_whose_body_is_damaged_is_refused(small_site, fakes):
    data = fakes.picture()
    with small_site.served() as client:
        problem = problem_of(client.post(BY_IMAGE, files=upload(data[:60] + bytes(len(data) - 60))))
    assert (problem["status"], problem["detail"]) == (422, "0.png: the picture is damaged")


def png_that_states(width, height):
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0) + bytes(64)


@pytest.mark.parametrize(("width", "height"), [(40_000, 10), (10, 40_000), (9_000, 9_000)])
def test_a_huge_picture_is_refused_before_it_is_decoded(small_site, monkeypatch, width, height):
    monkeypatch.setattr("reid_core.vision.crops.decode_crop", lambda _: pytest.fail("decoded"))
    with small_site.served() as client:
        problem = problem_of(client.post(BY_IMAGE, files=upload(png_that_states(width, height))))
    assert (problem["status"], problem["type"]) == (413, "urn:reknit:problem:image-too-large")
    assert f"{width}x{height} px" in problem["detail"]


def test_a_picture_of_nobody_is_refused(small_site, fakes):
    for detector in (fakes.FakeDetector([], []), fakes.FakeDetector(confidences=[0.2])):
        with small_site.served(detector=detector) as client:
            problem = problem_of(client.post(BY_IMAGE, files=upload(fakes.picture())))
        assert (problem["status"], problem["type"], problem["detail"]) == (
            422,
            "urn:reknit:problem:no-person",
            "0.png",
        )


def test_a_picture_that_gives_no_vector_is_refused(small_site, fakes):
    with small_site.served(embedder=fakes.FakeEmbedder(vectors=np.zeros((1, 16), np.float32))) as client:
        assert problem_of(client.post(BY_IMAGE, files=upload(fakes.picture())))["status"] == 422


def test_an_embedder_of_another_model_is_no_service(small_site, fakes):
    with small_site.served(embedder=fakes.FakeEmbedder(model_id="other")) as client:
        problem = problem_of(client.post(BY_IMAGE, files=upload(fakes.picture())))
    assert (problem["status"], problem["detail"]) == (503, "other here, fake-model-1 stored")


def test_missing_weights_are_no_service_and_are_tried_again(small_site, fakes):
    class Broken:
        tries = 0

        def detect(self, _image):
            Broken.tries += 1
            raise WeightsError("yolov8n.pt is not to be had")

    with small_site.served(detector=Broken()) as client:
        for _ in range(2):
            problem = problem_of(client.post(BY_IMAGE, files=upload(fakes.picture())))
            assert (problem["status"], problem["type"]) == (503, "urn:reknit:problem:weights")
    assert Broken.tries == 2


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"k": "0"}, "#/k"),
        ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "#/"),
        ({"start": "yesterday"}, "#/start"),
    ],
)
def test_a_wrong_field_is_named(small_site, fakes, data, where):
    with small_site.served() as client:
        problem = problem_of(client.post(BY_IMAGE, files=upload(fakes.picture()), data=data))
    assert (problem["status"], problem["errors"][0]["where"]) == (422, where)


def test_a_search_without_pictures_is_refused(small_site):
    with small_site.served() as client:
        assert problem_of(client.post(BY_IMAGE, data={"k": 1}))["errors"][0]["where"] == "#/images"


@pytest.fixture
def tight_site(small_site):
    """Takes uploads of at most 64 KiB."""
    return replace(small_site, settings=small_site.settings.model_copy(update={"max_upload_bytes": 1 << 16}))


def test_an_upload_that_states_too_much_is_refused_unread(tight_site):
    with tight_site.served() as client:
        answer = client.post(BY_IMAGE, files=upload(bytes(1 << 16)))
    assert problem_of(answer)["detail"] == "At most 65,536 bytes are accepted here."
    assert answer.status_code == 413


def test_an_upload_that_does_not_state_its_length_is_cut_off_at_the_limit(tight_site):
    start = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    with tight_site.served() as client:
        answer = client.post(BY_IMAGE, content=iter([start, *(bytes(1 << 14) for _ in range(5))]), headers=form)
        in_json = client.post("/v1/searches", content=iter([bytes(1 << 20), bytes(8)]))
    assert problem_of(answer)["status"] == 413
    assert problem_of(in_json)["status"] == 413
