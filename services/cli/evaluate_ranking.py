"""`reknit evaluate ranking`: score features on a published dataset, or a stored site against its ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from reid_core.errors import InputError
from services.cli.options import DataDir, Json
from services.cli.outputs import Outputs


def ranking(
    dataset: Annotated[
        str | None, typer.Option(help="Name of the dataset, such as market1501; docs/datasets.md lists all.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the dataset, laid out as published.")] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="An .npz file with the arrays features (N, d) and paths (N,), relative to the root."),
    ] = None,
    distance: Annotated[
        Literal["cosine", "euclidean"],
        typer.Option(help="cosine normalises; euclidean takes features as they are."),
    ] = "cosine",
    validation: Annotated[
        bool, typer.Option("--validation", help="Score the published validation people, to tune on.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(help="Instead of a dataset: true boxes of the stored site, a folder of CAMERA.txt."),
    ] = None,
    generation: Annotated[
        str | None,
        typer.Option(
            help="Beginning of a generation's id, or 'current': whose embedder looks at the dataset's pictures, or "
            "whose vectors of the stored site are scored (there the current one by itself)."
        ),
    ] = None,
    data_dir: DataDir = None,
    json: Json = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row for each query to this file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with curves and searches to this .html file.")
    ] = None,
) -> None:
    """CMC, mAP in both definitions and mINP: of features on a dataset, or of a stored site against its truth."""
    named = {"--dataset": dataset, "--root": root, "--features": features}
    outputs = Outputs(json, csv, report)
    if truth is not None:
        from services.cli.evaluate_site import score_stored_site

        if any(value is not None for value in named.values()):
            raise InputError(f"--truth scores the stored site and goes without {', '.join(named)}")
        if validation:
            raise InputError("--truth scores the stored site and goes without --validation")
        score_stored_site(truth, data_dir=data_dir, generation=generation, outputs=outputs)
        return
    from services.cli.evaluate_dataset import score_dataset

    if features is not None and generation is not None:
        raise InputError("--features and --generation are two sources of features; give one of them")
    source = generation if features is None else features
    if dataset is None or root is None or source is None:
        given = {"--dataset": dataset, "--root": root, "--features or --generation": source}
        missing = ", ".join(name for name, value in given.items() if value is None)
        raise InputError(
            f"give --dataset, --root and --features or --generation, or --truth for the stored site; missing: {missing}"
        )
    score_dataset(dataset, root, source, data_dir=data_dir, distance=distance, validation=validation, outputs=outputs)
