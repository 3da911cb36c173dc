"""`reknit simulate`: write a simulated site, or the tracklet log of hours without pixels."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import Json, write_json

if TYPE_CHECKING:
    from reid_core.simulation.settings import SiteSettings


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @app.command()
    def simulate(
        out_dir: Annotated[Path, typer.Argument(help="New or empty folder, or one of an earlier simulation.")],
        seed: Annotated[int, typer.Option(help="Equal seeds give equal sites.")] = 7,
        cameras: Annotated[int, typer.Option(help="Cameras, at least 2; more than two stand in a ring.")] = 4,
        people: Annotated[int, typer.Option(help="Identities, at least 1.")] = 100,
        minutes: Annotated[float, typer.Option(help="Length of each recording.")] = 2.0,
        difficulty: Annotated[str, typer.Option(help="easy, default or hard.")] = "default",
        events_only: Annotated[bool, typer.Option("--events-only", help="Only a tracklet log, no pixels.")] = False,
        hours: Annotated[float, typer.Option(help="Length of the log with --events-only.")] = 1.0,
        json: Json = None,
    ) -> None:
        """Simulate a site: videos, site.toml and the truth about them."""
        from reid_core.simulation.settings import SiteSettings

        settings = SiteSettings(seed=seed, cameras=cameras, people=people, minutes=minutes, difficulty=difficulty)
        started_s = time.monotonic()
        result = _events(out_dir, settings, hours) if events_only else _videos(out_dir, settings)
        result["seconds"] = round(time.monotonic() - started_s, 2)
        if json is not None:
            write_json(json, result)
        if json != "-":
            print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items()))


def _videos(out_dir: Path, settings: SiteSettings) -> dict[str, object]:
    from reid_core.simulation.site import simulate_site
    from services.cli.progress import progress

    with progress("Simulating", settings.total_frames) as advance:
        site = simulate_site(out_dir, settings, on_progress=advance)
    return {
        "site_file": str(site.site_file),
        "cameras": settings.cameras,
        "people": settings.people,
        "frames": settings.total_frames,
        "visits": site.visits,
    }


def _events(out_dir: Path, settings: SiteSettings, hours: float) -> dict[str, object]:
    from reid_core.simulation.events import simulate_events

    log = simulate_events(out_dir, settings, hours=hours)
    return {
        "tracklets_file": str(log.tracklets_file),
        "cameras": settings.cameras,
        "people": settings.people,
        "visits": log.visits,
        "tracklets": log.tracklets,
    }
