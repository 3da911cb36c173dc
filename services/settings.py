"""The only reader of the environment: everything an installation can be told, with its default."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of one process, read from ``REKNIT_*``; the command line overrides them.

    Attributes:
        data_dir: Holds everything of an embedded installation.
        database_url: SQLAlchemy URL; empty = SQLite in ``data_dir``.
        weights_dir: A folder to look in for weight files before anything is fetched.
        log_level: DEBUG, INFO, WARNING or ERROR.
        threads: Threads for inference; 0 = one for each processor at hand.
        detector_precision: OpenVINO inference precision: ``auto`` takes the processor's best, ``f32`` repeats exactly
            across processors.
        known_hosts: Names by which requests may call the query service (its Host header, without the port).
        max_body_bytes: The most that a request without pictures may send.
        max_upload_bytes: The most that a request with pictures may send, all in.
        max_image_side_px: The widest or highest picture that is decoded.
        max_image_area_px: The most pixels of a picture that is decoded.
        jobs_database_url: SQLAlchemy URL of the database in which the workflow engine keeps what it needs to resume
            jobs; empty = beside the installation's own.
        train_recipe: The recipe of training cycles that start by themselves, or without a word on the recipe.
        train_schedule: Cron expression (minute hour day month weekday, UTC) by which training cycles start by
            themselves; empty = never.
        train_after_tracklets: A training cycle starts by itself when this many tracklets were stored since the last one
            was asked for; 0 = never.
    """

    model_config = SettingsConfigDict(env_prefix="REKNIT_", extra="ignore")

    data_dir: Path = Path("reknit-data")
    database_url: str = ""
    weights_dir: Path | None = None
    log_level: str = "INFO"
    threads: int = Field(default=0, ge=0)
    detector_precision: str = Field(default="auto", pattern="^(auto|f32|bf16|f16)$")
    known_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "[::1]"})
    max_body_bytes: int = Field(default=1 << 20, gt=0)
    max_upload_bytes: int = Field(default=32 << 20, gt=0)
    max_image_side_px: int = Field(default=10_000, gt=0)
    max_image_area_px: int = Field(default=40_000_000, gt=0)
    jobs_database_url: str = ""
    train_recipe: str = "site-cpu"
    train_schedule: str = ""
    train_after_tracklets: int = Field(default=0, ge=0)

    @property
    def resolved_database_url(self) -> str:
        """The database to use: ``database_url`` or the embedded SQLite file."""
        return self.database_url or f"sqlite:///{self.data_dir / 'reknit.db'}"

    @property
    def resolved_jobs_database_url(self) -> str:
        """The workflow engine's database: ``jobs_database_url``, or a file or database beside the installation's own.

        Beside a database ``NAME`` on a server it is ``NAME_jobs`` on the same server.
        """
        if self.jobs_database_url:
            return self.jobs_database_url
        if not self.database_url or self.database_url.startswith("sqlite"):
            return f"sqlite:///{self.data_dir / 'dbos.db'}"
        server, mark, query = self.database_url.partition("?")
        return f"{server.rstrip('/')}_jobs{mark}{query}"

    @property
    def jobs_dir(self) -> Path:
        """Where jobs keep their checkpoints."""
        return self.data_dir / "jobs"

    @property
    def locks_dir(self) -> Path:
        """Where lock files lie, by which processes over one data folder see each other."""
        return self.data_dir / "locks"

    @property
    def models_dir(self) -> Path:
        """Where the installation's own models lie."""
        return self.data_dir / "models"

    @property
    def graphs_dir(self) -> Path:
        """Where generations' neighbour graphs are kept."""
        return self.data_dir / "graphs"

    @property
    def blobs_dir(self) -> Path:
        """Where tracklet blobs lie."""
        return self.data_dir / "blobs"

    @property
    def weights_cache_dir(self) -> Path:
        """Where fetched weights and the networks compiled from them lie."""
        return self.weights_dir or Path.home() / ".cache" / "reknit" / "weights"
