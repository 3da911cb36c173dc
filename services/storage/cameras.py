"""Cameras and the walking paths between them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from reid_core.errors import InputError, UnknownCameraError
from reid_core.types import Camera, CameraLink
from services.storage.statements import insert_into
from services.storage.tables import CameraLinkRow, CameraRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

_MAX_ID_CHARACTERS = 200


class CameraRepository:
    """Cameras by their id, which the site's owner chose.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def ensure(self, camera: Camera) -> None:
        """Store a camera unless it is there; a stated position replaces the stored one.

        Raises:
            InputError: If the id is empty, longer than 200 characters or not printable.
        """
        _check_id(camera.camera_id)
        x_m, y_m = camera.position_m or (None, None)
        statement = insert_into(self._session, CameraRow).values(
            camera_id=camera.camera_id, position_x_m=x_m, position_y_m=y_m, created_at_s=self._clock()
        )
        if camera.position_m is None:
            self._session.execute(statement.on_conflict_do_nothing(index_elements=["camera_id"]))
        else:
            self._session.execute(
                statement.on_conflict_do_update(
                    index_elements=["camera_id"], set_={"position_x_m": x_m, "position_y_m": y_m}
                )
            )

    def by_id(self, camera_id: str) -> Camera:
        """One camera.

        Raises:
            UnknownCameraError: If there is none of that id.
        """
        row = self._session.get(CameraRow, camera_id, populate_existing=True)
        if row is None:
            raise UnknownCameraError(camera_id)
        return _camera(row)

    def list(self) -> list[Camera]:
        """All cameras, by id."""
        return [_camera(row) for row in self._session.scalars(select(CameraRow).order_by(CameraRow.camera_id))]

    def ensure_links(self, links: Iterable[CameraLink]) -> None:
        """Store links; a link between two cameras that are linked already replaces the distance.

        Raises:
            InputError: If a link joins a camera with itself or its distance is negative or not finite.
            UnknownCameraError: If it names a camera that is not stored.
        """
        for link in links:
            first, second = sorted((link.camera_a, link.camera_b))
            if first == second:
                raise InputError(f"a camera cannot be linked with itself: {first}")
            if not 0 <= link.distance_m < float("inf"):
                raise InputError(
                    f"the distance from {first} to {second} must be 0 or more metres, got {link.distance_m}"
                )
            for camera_id in (first, second):
                self.by_id(camera_id)
            statement = insert_into(self._session, CameraLinkRow).values(
                camera_a=first, camera_b=second, distance_m=link.distance_m
            )
            self._session.execute(
                statement.on_conflict_do_update(
                    index_elements=["camera_a", "camera_b"], set_={"distance_m": link.distance_m}
                )
            )

    def links(self) -> tuple[CameraLink, ...]:
        """All links, by their cameras' ids; the smaller id stands first."""
        rows = self._session.execute(
            select(CameraLinkRow.camera_a, CameraLinkRow.camera_b, CameraLinkRow.distance_m).order_by(
                CameraLinkRow.camera_a, CameraLinkRow.camera_b
            )
        )
        return tuple(CameraLink(*row) for row in rows)


def _check_id(camera_id: str) -> None:
    if not (0 < len(camera_id) <= _MAX_ID_CHARACTERS and camera_id.isprintable() and camera_id.strip() == camera_id):
        raise InputError(
            f"a camera id is 1 to {_MAX_ID_CHARACTERS} printable characters without outer blanks, got {camera_id!r}"
        )


def _camera(row: CameraRow) -> Camera:
    if row.position_x_m is None or row.position_y_m is None:
        return Camera(row.camera_id)
    return Camera(row.camera_id, (row.position_x_m, row.position_y_m))
