"""Errors as RFC 9457 problem details: one form for whatever goes wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from reid_core.errors import (
    ImageTooLargeError,
    ImpossibleJourneyError,
    JobStateError,
    JourneyStateError,
    MissingVectorsError,
    ModelFilesError,
    ModelMismatchError,
    NoGenerationError,
    NotCalibratedError,
    NoTransitModelError,
    NotSearchableError,
    NoWayBackError,
    OutrunError,
    ReknitError,
    SchemaVersionError,
    StorageError,
    StorageFullError,
    UnknownCropError,
    UnknownFeedbackError,
    UnknownGenerationError,
    UnknownJobError,
    UnknownJourneyError,
    UnknownJourneyEventError,
    UnknownModelError,
    UnknownTrackletError,
    WeightsError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

__all__ = ["MEDIA_TYPE", "install", "problem_answer"]

MEDIA_TYPE = "application/problem+json"

_STATUS_OF: Mapping[type[ReknitError], HTTPStatus] = {
    UnknownTrackletError: HTTPStatus.NOT_FOUND,
    UnknownCropError: HTTPStatus.NOT_FOUND,
    UnknownJobError: HTTPStatus.NOT_FOUND,
    UnknownFeedbackError: HTTPStatus.NOT_FOUND,
    UnknownJourneyError: HTTPStatus.NOT_FOUND,
    UnknownJourneyEventError: HTTPStatus.NOT_FOUND,
    ImpossibleJourneyError: HTTPStatus.CONFLICT,
    JourneyStateError: HTTPStatus.CONFLICT,
    ImageTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnknownModelError: HTTPStatus.NOT_FOUND,
    UnknownGenerationError: HTTPStatus.NOT_FOUND,
    MissingVectorsError: HTTPStatus.CONFLICT,
    NoWayBackError: HTTPStatus.CONFLICT,
    OutrunError: HTTPStatus.CONFLICT,
    ModelFilesError: HTTPStatus.SERVICE_UNAVAILABLE,
    NoGenerationError: HTTPStatus.CONFLICT,
    NotSearchableError: HTTPStatus.CONFLICT,
    NotCalibratedError: HTTPStatus.CONFLICT,
    NoTransitModelError: HTTPStatus.NOT_FOUND,
    JobStateError: HTTPStatus.CONFLICT,
    ModelMismatchError: HTTPStatus.SERVICE_UNAVAILABLE,
    WeightsError: HTTPStatus.SERVICE_UNAVAILABLE,
    SchemaVersionError: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_USERS_MISTAKE = HTTPStatus.UNPROCESSABLE_ENTITY
_OUR_MISTAKE = HTTPStatus.INTERNAL_SERVER_ERROR


def problem_answer(
    path: str,
    status: int,
    *,
    title: str | None = None,
    detail: str = "",
    kind: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """A problem-details answer.

    Args:
        path: Of the request; becomes ``instance``.
        status: HTTP status.
        title: What kind of problem, the same each time; default: the status's own phrase.
        detail: What exactly was refused.
        kind: The last part of ``type``, which a program can tell problems apart by; default: ``about:blank``.
        headers: Further headers.
        extra: Further members.
    """
    body = {
        "type": f"urn:reknit:problem:{kind}" if kind else "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "instance": path,
        **extra,
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every foreseen error of the application leave it as problem details; `RequestLog` sees to the others."""
    app.add_exception_handler(ReknitError, _of_ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)


def _of_ours(request: Request, error: Exception) -> JSONResponse:
    ours = error if isinstance(error, ReknitError) else ReknitError(str(error))
    status = next((_STATUS_OF[one] for one in type(error).__mro__ if one in _STATUS_OF), None)
    if status is None:
        status = _USERS_MISTAKE if ours.exit_code == 2 else _OUR_MISTAKE
    if status >= _OUR_MISTAKE:
        structlog.get_logger().warning("http.problem", error=str(error))
    return problem_answer(request.url.path, status, title=ours.title, detail=ours.detail, kind=_kind(type(error)))


def _of_http(request: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 500)
    detail = str(getattr(error, "detail", ""))
    detail = "" if detail == HTTPStatus(status).phrase else detail
    return problem_answer(request.url.path, status, detail=detail, headers=getattr(error, "headers", None))


def _of_validation(request: Request, error: Exception) -> JSONResponse:
    """What the request got wrong, each with a JSON pointer into its body or the name of its parameter."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    wrong = [{"where": _place(one["loc"]), "detail": one["msg"]} for one in found]
    return problem_answer(
        request.url.path,
        _USERS_MISTAKE,
        title="The request is not as described",
        detail="; ".join(f"{one['where']}: {one['detail']}" for one in wrong[:3]),
        kind="invalid-request",
        errors=wrong,
    )


def _place(location: tuple[int | str, ...]) -> str:
    source, *rest = location
    return "#/" + "/".join(map(str, rest)) if source == "body" else f"{source} {'.'.join(map(str, rest))}".strip()


def _kind(error: type[Exception]) -> str:
    """``UnknownTrackletError`` to ``unknown-tracklet``."""
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in error.__name__)
    return words.strip("-").removesuffix("-error")
