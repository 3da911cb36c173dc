"""What the list of cameras promises, on every database."""

from __future__ import annotations

import pytest

from reid_core.errors import InputError, UnknownCameraError
from reid_core.types import Camera, CameraLink
from services.storage.cameras import CameraRepository


def test_cameras_are_listed_by_code_point(database):
    with database.write() as session:
        for camera_id in ("cam b", "Zoo", "cam2", "äußere", "cam10"):
            CameraRepository(session).ensure(Camera(camera_id))
    with database.read() as session:
        assert [camera.camera_id for camera in CameraRepository(session).list()] == [
            "Zoo",
            "cam b",
            "cam10",
            "cam2",
            "äußere",
        ]


def test_no_camera_is_listed_before_the_first(database):
    with database.read() as session:
        assert CameraRepository(session).list() == []
        assert CameraRepository(session).links() == ()


def test_a_position_is_kept_until_another_is_stated(database):
    with database.write() as session:
        cameras = CameraRepository(session)
        cameras.ensure(Camera("cam1"))
        assert cameras.by_id("cam1").position_m is None
        cameras.ensure(Camera("cam1", (1.0, 2.5)))
        cameras.ensure(Camera("cam1"))
        assert cameras.by_id("cam1") == Camera("cam1", (1.0, 2.5))
        cameras.ensure(Camera("cam1", (3.0, 4.0)))
        assert cameras.by_id("cam1") == Camera("cam1", (3.0, 4.0))


@pytest.mark.parametrize("camera_id", ["", " cam", "cam\n", "a\0b", "x" * 201])
def test_an_id_that_nobody_could_type_is_refused(database, camera_id):
    with pytest.raises(InputError, match="a camera id is"), database.write() as session:
        CameraRepository(session).ensure(Camera(camera_id))


def test_an_unknown_camera_is_refused(database):
    with database.read() as session, pytest.raises(UnknownCameraError, match="cam9"):
        CameraRepository(session).by_id("cam9")


def test_a_link_has_no_direction(database):
    with database.write() as session:
        cameras = CameraRepository(session)
        for camera_id in ("b", "A", "a"):
            cameras.ensure(Camera(camera_id))
        cameras.ensure_links([CameraLink("b", "a", 3.0), CameraLink("a", "A", 0.0)])
        cameras.ensure_links([CameraLink("a", "b", 4.0)])
        assert cameras.links() == (CameraLink("A", "a", 0.0), CameraLink("a", "b", 4.0))


@pytest.mark.parametrize(
    ("link", "error"),
    [
        (CameraLink("a", "a", 1.0), InputError),
        (CameraLink("a", "b", -1.0), InputError),
        (CameraLink("a", "b", float("nan")), InputError),
        (CameraLink("a", "b", float("inf")), InputError),
        (CameraLink("a", "c", 1.0), UnknownCameraError),
    ],
)
def test_a_link_that_cannot_be_walked_is_refused(database, link, error):
    with database.write() as session:
        for camera_id in ("a", "b"):
            CameraRepository(session).ensure(Camera(camera_id))
    with pytest.raises(error), database.write() as session:
        CameraRepository(session).ensure_links([link])
    with database.read() as session:
        assert CameraRepository(session).links() == ()
