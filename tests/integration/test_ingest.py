from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from moving_blocks import BlockDetector, ColourEmbedder, Walk, record
from stored import stored

from reid_core.errors import NotAVideoError, StorageFullError
from services.ingest.locks import SourceBusyError, source_lock
from services.ingest.plan import SourceRequest, plan_source
from services.ingest.report import SourceState
from services.ingest.worker import ModelMismatchError, Networks, ingest_sources, lock_name
from services.storage.blobs import BlobStore
from services.storage.session import Database
from services.storage.sources import SourceRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reid_core.types import Embedding, ImageBGR, Tracklet
    from services.ingest.report import IngestReport

WALKS = (Walk(0, 5, 40), Walk(1, 12, 50), Walk(2, 30, 70), Walk(0, 72, 112), Walk(1, 80, 118), Walk(2, 205, 245))
FRAMES = 250


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("film") / "hall.avi", WALKS, FRAMES)


@dataclass
class Site:
    """One installation, and a way to ingest into it."""

    folder: Path
    blobs: BlobStore
    networks: Networks = field(default_factory=lambda: Networks(BlockDetector(), ColourEmbedder(), 2))

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'reknit.db'}"

    def ingest(self, *requests: SourceRequest, workers: int = 1) -> IngestReport:
        with Database(self.url) as database:
            return ingest_sources(
                [plan_source(request, database) for request in requests],
                self.networks,
                database=database,
                blobs=self.blobs,
                locks_dir=self.folder / "locks",
                workers=workers,
                on_frame=lambda: None,
            )

    def holds(self) -> dict[str, object]:
        with Database(self.url) as database:
            return stored(database, self.blobs)


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[[str], Site]:
    def make(name: str) -> Site:
        folder = tmp_path / name
        folder.mkdir()
        with Database(f"sqlite:///{folder / 'reknit.db'}") as database:
            database.upgrade()
        return Site(folder, BlobStore(folder / "blobs"))

    return make


@pytest.fixture
def site(make_site: Callable[[str], Site]) -> Site:
    return make_site("site")


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it but to stop."""


class FailingBlobs(BlobStore):
    """Fails at one write, before or after the blob is there."""

    def __init__(self, root: Path, failure: BaseException, *, at: int, after: bool) -> None:
        super().__init__(root)
        self._failure = failure
        self._left = at
        self._after = after

    def put_tracklet(self, key: str, tracklet: Tracklet) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise self._failure
        super().put_tracklet(key, tracklet)
        if self._left == 0:
            raise self._failure


class FailingEmbedder(ColourEmbedder):
    """Fails at one tracklet."""

    def __init__(self, at: int) -> None:
        self._left = at

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        self._left -= 1
        if self._left == 0:
            raise Killed
        return super().embed(crops)


def test_each_walk_becomes_a_stored_tracklet(site: Site, video: Path) -> None:
    report = site.ingest(SourceRequest("hall", video))
    assert (report.frames, report.tracklets) == (FRAMES, len(WALKS))
    assert report.outcomes[0].state is SourceState.INGESTED
    holds = site.holds()
    assert len(holds["tracklets"]) == len(WALKS)
    assert holds["events"] == {
        ("generation.promoted", None): 1,
        ("tracklet.added", "hall"): len(WALKS),
        ("source.finished", "hall"): 1,
    }


def test_finished_source_changes_nothing_even_under_another_name(site: Site, video: Path, tmp_path: Path) -> None:
    site.ingest(SourceRequest("hall", video))
    before = site.holds()
    (tmp_path / "copy.avi").write_bytes(video.read_bytes())
    report = site.ingest(SourceRequest("hall", tmp_path / "copy.avi"))
    assert report.outcomes[0].state is SourceState.FINISHED_BEFORE
    assert report.frames == 0
    assert site.holds() == before


def test_start_given_later_does_not_move_what_is_stored(site: Site, video: Path) -> None:
    site.ingest(SourceRequest("hall", video, start_s=1000.0))
    with Database(site.url) as database:
        assert plan_source(SourceRequest("hall", video, start_s=2000.0), database).remark is not None
        assert plan_source(SourceRequest("hall", video, start_s=1000.0), database).remark is None
        (source,) = _sources(database)
    assert source.start_s == 1000.0


def test_workers_and_lanes_do_not_change_what_is_stored(make_site: Callable[[str], Site], video: Path) -> None:
    requests = [SourceRequest(name, video) for name in ("a", "b", "c")]
    alone, together = make_site("alone"), make_site("together")
    alone.networks = Networks(BlockDetector(), ColourEmbedder(), 1)
    together.networks = Networks(BlockDetector(), ColourEmbedder(), 3)
    for request in requests:
        alone.ingest(request)
    report = together.ingest(*requests, workers=3)
    assert [outcome.request.camera_id for outcome in report.outcomes] == ["a", "b", "c"]
    assert together.holds() == alone.holds()


@pytest.mark.parametrize("after", [False, True], ids=["before the blob", "between blob and commit"])
@pytest.mark.parametrize("at", [1, 3, len(WALKS)])
def test_crash_while_storing_loses_nothing_and_doubles_nothing(
    make_site: Callable[[str], Site], video: Path, whole: dict[str, object], at: int, *, after: bool
) -> None:
    site = make_site("site")
    good = site.blobs
    site.blobs = FailingBlobs(site.folder / "blobs", Killed(), at=at, after=after)
    with pytest.raises(Killed):
        site.ingest(SourceRequest("hall", video))
    with Database(site.url) as database:
        assert not _sources(database)[0].is_finished
    site.blobs = good
    report = site.ingest(SourceRequest("hall", video))
    assert report.outcomes[0].tracklets + report.outcomes[0].tracklets_before == len(WALKS)
    assert report.outcomes[0].tracklets_before == at - 1
    assert site.holds() == whole


def test_crash_after_crash_still_ends_at_the_same(site: Site, video: Path, whole: dict[str, object]) -> None:
    for _ in WALKS:
        site.networks = Networks(BlockDetector(), FailingEmbedder(at=2), 2)
        try:
            site.ingest(SourceRequest("hall", video))
        except Killed:
            continue
    site.networks = Networks(BlockDetector(), ColourEmbedder(), 2)
    site.ingest(SourceRequest("hall", video))
    assert site.holds() == whole


def test_interrupted_source_goes_on_where_nobody_was_followed(site: Site, video: Path) -> None:
    site.networks = Networks(BlockDetector(), FailingEmbedder(at=len(WALKS)), 2)
    with pytest.raises(Killed):
        site.ingest(SourceRequest("hall", video))
    site.networks = Networks(BlockDetector(), ColourEmbedder(), 2)
    with Database(site.url) as database:
        planned = plan_source(SourceRequest("hall", video), database)
    assert (planned.first_frame, planned.frames_left) == (200, FRAMES - 200)
    assert site.ingest(SourceRequest("hall", video)).frames == FRAMES - 200


def test_full_disk_stops_the_ingest_and_the_next_run_completes_it(
    site: Site, video: Path, whole: dict[str, object]
) -> None:
    good = site.blobs
    site.blobs = FailingBlobs(site.folder / "blobs", StorageFullError("no space left"), at=3, after=False)
    with pytest.raises(StorageFullError, match="no space left"):
        site.ingest(SourceRequest("hall", video))
    site.blobs = good
    assert len(site.holds()["tracklets"]) == 2
    site.ingest(SourceRequest("hall", video))
    assert site.holds() == whole


def test_source_that_vanishes_does_not_keep_the_others_back(site: Site, video: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.avi"
    gone.write_bytes(video.read_bytes() + b"\0")
    with Database(site.url) as database:
        planned = [plan_source(SourceRequest(path.stem, path), database) for path in (gone, video)]
        gone.unlink()
        report = ingest_sources(
            planned,
            site.networks,
            database=database,
            blobs=site.blobs,
            locks_dir=site.folder / "locks",
            workers=2,
            on_frame=lambda: None,
        )
    assert [outcome.state for outcome in report.outcomes] == [SourceState.FAILED, SourceState.INGESTED]
    assert isinstance(report.failures[0].failure, NotAVideoError)


def test_source_that_another_process_ingests_is_left_to_it(site: Site, video: Path) -> None:
    request = SourceRequest("hall", video)
    with Database(site.url) as database:
        name = lock_name(plan_source(request, database))
    with source_lock(site.folder / "locks", name, says="hall"):
        report = site.ingest(request)
    assert isinstance(report.failures[0].failure, SourceBusyError)
    assert report.frames == 0


@pytest.mark.postgres
def test_postgres_comes_to_hold_the_same(
    postgres_database: Database, video: Path, whole: dict[str, object], tmp_path: Path
) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    ingest_sources(
        [plan_source(SourceRequest("hall", video), postgres_database)],
        Networks(BlockDetector(), ColourEmbedder(), 2),
        database=postgres_database,
        blobs=blobs,
        locks_dir=tmp_path / "locks",
        workers=1,
        on_frame=lambda: None,
    )
    assert stored(postgres_database, blobs) == whole


def test_vectors_of_two_models_are_never_mixed(site: Site, video: Path) -> None:
    site.ingest(SourceRequest("hall", video))

    class Other(ColourEmbedder):
        model_id = "another"

    site.networks = Networks(BlockDetector(), Other(), 1)
    with pytest.raises(ModelMismatchError, match="has model mean-colour, which is not at hand"):
        site.ingest(SourceRequest("door", video))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, video: Path) -> dict[str, object]:
    """What an uninterrupted ingest stores."""
    folder = tmp_path_factory.mktemp("whole")
    with Database(f"sqlite:///{folder / 'reknit.db'}") as database:
        database.upgrade()
    site = Site(folder, BlobStore(folder / "blobs"))
    site.ingest(SourceRequest("hall", video))
    return site.holds()


def _sources(database: Database) -> list[object]:
    with database.read() as session:
        return SourceRepository(session).list()
