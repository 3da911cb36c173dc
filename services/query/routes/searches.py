"""Where else was this person? By stored tracklets, or by pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, ValidationError

from services.query.dependencies import Running
from services.query.look_again import RERANKS_PICTURES
from services.query.pictures import Picture
from services.query.routes.answers import INVALID, NO_EMBEDDER, NO_GENERATION, NO_PERSON, NO_TRACKLET, TOO_LARGE
from services.query.routes.bodies import MOST_ANSWERS, MOST_QUERIES, Filters, SearchBody
from services.query.schemas import Share
from services.query.search_schemas import SearchAnswer
from services.query.searcher import SearchRequest
from services.query.views import answer_view

router = APIRouter(prefix="/searches", tags=["searches"])


@router.post("", summary="Search by stored tracklets", responses=NO_TRACKLET | NO_GENERATION | INVALID)
def search_by_tracklets(service: Running, body: SearchBody) -> SearchAnswer:
    """Tracklets that show the person of the given ones, best first; all are taken for one person.

    The order is that of probabilities, changed by what the answers' neighbours say unless ``rerank`` is false.

    Where the generation is not calibrated, as after the cold start, they are those that look alike, most alike first.
    """
    request = SearchRequest(
        body.filters.where(),
        body.k,
        body.filters.other_cameras_only,
        body.use_time,
        body.max_error_rate,
        rerank=body.rerank,
    )
    return answer_view(service.searcher.by_tracklets(body.tracklet_ids, request))


@router.post("/by-image", summary="Search by pictures", responses=NO_GENERATION | TOO_LARGE | NO_PERSON | NO_EMBEDDER)
def search_by_image(
    service: Running,
    *,
    images: Annotated[
        list[UploadFile],
        File(min_length=1, max_length=MOST_QUERIES, description="JPEG, PNG, WebP or BMP; all of the same person."),
    ],
    whole_image: Annotated[bool, Form(description="Take each picture as it is: it is a crop of the person.")] = False,
    k: Annotated[int, Form(ge=1, le=MOST_ANSWERS, description="At most this many answers.")] = 10,
    camera_ids: Annotated[list[str] | None, Form(description="Only these cameras.")] = None,
    exclude_camera_ids: Annotated[list[str] | None, Form(description="Not these cameras.")] = None,
    start: Annotated[AwareDatetime | None, Form(description="Only those seen at or after this time.")] = None,
    end: Annotated[AwareDatetime | None, Form(description="Only those seen at or before this time.")] = None,
    min_quality: Annotated[Share, Form(description="Only those of at least this quality.")] = 0.0,
    max_error_rate: Annotated[
        Share | None,
        Form(description="Only so many answers that at most this share of them is expected to be false."),
    ] = None,
    rerank: Annotated[
        bool, Form(description="Let the answers' neighbours have a say in their order.")
    ] = RERANKS_PICTURES,
) -> SearchAnswer:
    """Tracklets that look like the person in the pictures, most alike first. Pictures have no place and no time.

    In each picture the person is found first: of the people of whom the detector is at least half as sure as of the
    surest, the largest. The answer says which box was taken.
    """
    filters = _filters(
        camera_ids=camera_ids or None,
        exclude_camera_ids=exclude_camera_ids or [],
        start=start,
        end=end,
        min_quality=min_quality,
    )
    pictures = [
        Picture((image.filename or f"picture {place}")[:100], image.file.read())
        for place, image in enumerate(images, start=1)
    ]
    request = SearchRequest(filters.where(), k, max_error_rate=max_error_rate, rerank=rerank)
    return answer_view(service.searcher.by_pictures(pictures, request, whole=whole_image))


def _filters(**parts: object) -> Filters:
    try:
        return Filters.model_validate(parts)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from error
