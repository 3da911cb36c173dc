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
NO_TRANSIT = problem(
    404,
    "The current generation has no transit model",
    kind="no-transit-model",
    title="The generation that answers has no transit model",
    detail="generation 01980a6e-1111-7c3a-8b44-3f2f6f1f9a10 was made without learning",
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
NO_JOB = problem(
    404,
    "There is no such job",
    kind="unknown-job",
    title="There is no such job",
    detail="01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4",
)
WRONG_JOB_STATE = problem(
    409,
    "The job does not stand where that could be done",
    kind="job-state",
    title="This cannot be done with a job that stands there",
    detail="01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4 has succeeded and cannot be cancelled",
)
NO_RECIPE = problem(
    422,
    "The request is not as described, or there is no such recipe",
    kind="recipe",
    title="The learning recipe cannot be used",
    detail="'site-cuda' is unknown; known are site-cpu, tastr-r50",
)
NO_MODEL = problem(
    404,
    "There is no such model",
    kind="unknown-model",
    title="There is no such model",
    detail="site-cpu-9c1f3a7be2d04415",
)
NO_SUCH_GENERATION = problem(
    404,
    "There is no such generation",
    kind="unknown-generation",
    title="There is no such generation",
    detail="'01980a7f' is neither a generation's id nor a model's",
)
NO_CHANGE = problem(
    409,
    "Vectors are missing, there is nothing to go back to, or another generation took over in this moment",
    kind="missing-vectors",
    title="The generation cannot answer yet, because vectors are missing",
    detail="214 tracklets have none of model site-cpu-9c1f3a7be2d04415",
)
NO_MODEL_FILES = problem(
    503,
    "The files of the generation's model are missing or damaged",
    kind="model-files",
    title="The model's files cannot be used",
    detail="models/site-cpu-9c1f3a7be2d04415/model.safetensors is missing",
)
NO_FEEDBACK = problem(
    404,
    "There is no such feedback",
    kind="unknown-feedback",
    title="There is no such feedback",
    detail="01a1f8a0-77d1-7f0a-8c2e-5b1d9e0c3a42",
)
NO_PAIR = problem(
    422,
    "The request is not as described, or both tracklets are one",
    kind="feedback",
    title="Feedback cannot be given like that",
    detail="01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1 is one tracklet, not a pair",
)
