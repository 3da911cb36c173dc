"""The description of the API says what the API does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import TypeAdapter

from services.query import (
    feedback_schemas,
    job_schemas,
    journeys_schemas,
    registry_schemas,
    schemas,
    search_schemas,
    topology_schemas,
)
from services.query.routes import bodies


@pytest.fixture
def document(site):
    with site.served() as client:
        return client.get("/openapi.json").json()


def operations(document):
    return {(method, path): one for path, item in document["paths"].items() for method, one in item.items()}


def test_it_is_openapi_3_1_and_names_every_route(document):
    assert document["openapi"].startswith("3.1")
    assert set(operations(document)) == {
        ("get", "/"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/v1/cameras"),
        ("get", "/v1/tracklets"),
        ("get", "/v1/tracklets/{tracklet_id}"),
        ("get", "/v1/tracklets/{tracklet_id}/crops/{crop_no}"),
        ("post", "/v1/searches"),
        ("post", "/v1/searches/by-image"),
        ("get", "/v1/generations"),
        ("get", "/v1/generations/current"),
        ("get", "/v1/generations/{name}"),
        ("post", "/v1/generations/{name}/promote"),
        ("post", "/v1/generations/{name}/rollback"),
        ("post", "/v1/generations/rollback"),
        ("get", "/v1/jobs"),
        ("post", "/v1/jobs"),
        ("get", "/v1/jobs/{job_id}"),
        ("post", "/v1/jobs/{job_id}/cancel"),
        ("post", "/v1/jobs/{job_id}/retry"),
        ("get", "/v1/topology"),
        ("get", "/v1/feedback"),
        ("post", "/v1/feedback"),
        ("get", "/v1/feedback/{feedback_id}"),
        ("delete", "/v1/feedback/{feedback_id}"),
        ("get", "/v1/journeys"),
        ("get", "/v1/journeys/{journey_id}"),
        ("post", "/v1/journeys/{journey_id}/merge"),
        ("post", "/v1/journeys/{journey_id}/split"),
        ("post", "/v1/journeys/{journey_id}/undo"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{model_id}"),
    }


def test_every_refusal_is_described_as_problem_details(document):
    for (_, path), operation in operations(document).items():
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and path != "/readyz":
                (media_type,) = answer["content"]
                assert media_type == "application/problem+json"
                assert answer["content"][media_type]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_reference_leads_somewhere(document):
    def references(part):
        if isinstance(part, dict):
            yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


@pytest.mark.parametrize(
    "form",
    [
        schemas.Problem,
        schemas.TrackletView,
        schemas.TrackletDetail,
        schemas.TrackletPage,
        schemas.CameraList,
        schemas.GenerationView,
        schemas.GenerationDetail,
        bodies.Filters,
        bodies.SearchBody,
        search_schemas.MatchView,
        search_schemas.PersonView,
        search_schemas.SearchAnswer,
        job_schemas.JobBody,
        job_schemas.JobProgress,
        job_schemas.JobView,
        job_schemas.JobList,
        feedback_schemas.FeedbackBody,
        feedback_schemas.FeedbackView,
        feedback_schemas.FeedbackAnswer,
        feedback_schemas.FeedbackList,
        journeys_schemas.LinkEvidenceView,
        journeys_schemas.PartView,
        journeys_schemas.JourneyLinkView,
        journeys_schemas.JourneyTracklet,
        journeys_schemas.JourneySummaryView,
        journeys_schemas.JourneyEventView,
        journeys_schemas.JourneyView,
        journeys_schemas.JourneyStateView,
        journeys_schemas.JourneyList,
        journeys_schemas.MergeBody,
        journeys_schemas.SplitBody,
        journeys_schemas.SplitAnswer,
        journeys_schemas.UndoBody,
        topology_schemas.LinkDensityView,
        topology_schemas.TopologyView,
        registry_schemas.ModelView,
        registry_schemas.ModelList,
        registry_schemas.GenerationRecord,
        registry_schemas.GenerationList,
        registry_schemas.PromotionView,
        registry_schemas.ChangeBody,
        registry_schemas.ChangeView,
    ],
)
def test_every_example_fits_its_form(form):
    for example in form.model_config["json_schema_extra"]["examples"]:
        TypeAdapter(form).validate_python(example)


@pytest.mark.parametrize(
    "act",
    [
        "from services.query.app import create_app; from services.settings import Settings; create_app(Settings())",
        "import services.cli.main",
    ],
    ids=["service", "command line"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(act):
    code = (
        f"import sys; {act}; print(*sorted({{'torch', 'ultralytics', 'timm', 'openvino', 'cv2'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_help_page_imports_no_array_library():
    code = (
        "import sys; from typer.testing import CliRunner; from services.cli.main import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "print(*sorted({'torch', 'numpy', 'faiss', 'fastapi', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
