"""How the API description shows the problems that a route may answer with."""

from __future__ import annotations

from typing import Any

from services.query.problems import MEDIA_TYPE
from services.query.schemas import Problem

Responses = dict[int | str, dict[str, Any]]


def problem(status: int, description: str, *, kind: str, title: str, detail: str) -> Responses:
    """One status with an example of its problem details."""
    example = {
        "type": f"urn:reknit:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "/v1/...",
    }
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {status: {"description": description, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}}


INVALID = problem(
    422,
    "The request is not as described",
    kind="invalid-request",
    title="The request is not as described",
    detail="#/k: Input should be less than or equal to 1000",
)
NO_TRACKLET = problem(
    404,
    "There is no such tracklet",
    kind="unknown-tracklet",
    title="There is no such tracklet",
    detail="01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1",
)
NO_GENERATION = problem(
    409,
    "Nothing has been ingested yet",
    kind="no-generation",
    title="Nothing has been ingested yet, so there is nothing to search",
    detail="",
)
TOO_LARGE = problem(
    413,
    "The upload or one of its pictures is too large",
    kind="image-too-large",
    title="The image is too large",
    detail="gate.png is 40000x10 px; at most 10000 px a side and 40 megapixels are accepted",
)
NO_PERSON = problem(
    422,
    "The request is not as described, a file is no picture, or a picture shows nobody",
    kind="no-person",
    title="No person was found in the picture",
    detail="gate.png",
)
NO_EMBEDDER = problem(
    503,
    "The weights of detector or embedder are not at hand, or are not those of the current generation",
    kind="model-mismatch",
    title="The embedder at hand is not the one whose vectors are searched",
    detail="cold-start-2-77aa01 here, cold-start-1-4f2d9c stored",
)
