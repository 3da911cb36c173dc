"""What people say of pairs of tracklets on its way from the database into the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import structlog
from generation_site import GenerationSite

from reid_core.learning import objectives
from reid_core.learning.batches import joined_labels
from reid_core.learning.cycle import run_step
from reid_core.learning.known import known_links
from reid_core.learning.recipes import AssociationForm, LossForm, Optimisation, Pairing, Recipe, Sampling
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.models.network_recipe import NetworkRecipe
from services import feedback
from services.storage.feedback_records import Verdict
from services.storage.tracklets import TrackletRepository
from services.trainer.snapshot import take_snapshot

RECIPE = Recipe(
    name="tiny",
    network=NetworkRecipe("mobilenetv2_035", None, 64, 32, whitened=True, global_dim=16, stripes=2, stripe_dim=8),
    loss=LossForm.PROXIES,
    sampling=Sampling(tracklets=4, crops=2),
    optimisation=Optimisation(within_iterations=1, cross_iterations=1, checkpoint_every=5, warm_up=1),
    pairing=Pairing(rounds=1, min_weight=0.0, crops=3, smoothing=5.0, first_colours=0.4),
)
PAPER = replace(
    RECIPE,
    loss=LossForm.BATCH_HARD,
    network=replace(RECIPE.network, whitened=False),
    pairing=Pairing(rounds=1, crops=3, form=AssociationForm.PAPER, kmeans=1),
)


@pytest.fixture
def site(database, tmp_path):
    """Six tracklets at the gate, then six in the hall."""
    site = GenerationSite(database, tmp_path)
    site.store(6, camera_id="gate")
    site.store(6, camera_id="hall")
    return site


@pytest.fixture
def say(site):
    """Says something of two tracklets, by their rows of the snapshot: gate 0 to 5, hall 6 to 11."""
    with site.database.read() as session:
        ids = [one.tracklet_id for one in TrackletRepository(session).list(limit=50).items]

    def says(one, other, verdict):
        return feedback.give(site.database, ids[one], ids[other], Verdict(verdict), author="test")

    return says


def take(site, folder, **changes):
    told = take_snapshot(
        site.database, site.blobs, folder / "tracklets", recipe=replace(RECIPE, **changes), on_tracklet=lambda *_: None
    )
    return told, TrackletSet.load(folder / "tracklets")


def test_what_was_said_reaches_the_snapshot(site, say, tmp_path):
    say(7, 0, "same")
    say(1, 2, "same")  # of one camera
    say(3, 9, "different")
    withdrawn = say(4, 10, "same")
    feedback.withdraw(site.database, withdrawn.feedback.feedback_id)
    say(5, 11, "same")
    say(5, 11, "different")
    told, taken = take(site, tmp_path)
    assert taken.must_link.tolist() == [[0, 7], [1, 2]]
    assert taken.cannot_link.tolist() == [[3, 9], [5, 11]]
    assert taken.in_camera_ids is None, "nobody said that the others are other people"
    assert (told["confirmed"], told["rejected"], told["contradictions"]) == (2, 2, 0)


def test_what_contradicts_itself_is_told_and_left_out(site, say, tmp_path):
    say(0, 6, "same")
    say(6, 1, "same")
    say(0, 1, "different")
    say(2, 8, "same")
    with structlog.testing.capture_logs() as logs:
        told, taken = take(site, tmp_path)
    assert taken.must_link.tolist() == [[2, 8]]
    assert len(taken.cannot_link) == 0
    assert (told["confirmed"], told["contradictions"]) == (1, 1)
    assert [len(entry["chain"]) for entry in logs if entry["event"] == "snapshot.contradiction"] == [3]
    known_links(taken)


def test_a_tracklet_without_crops_still_joins_those_that_were_said_to_be_its_person(site, say, tmp_path):
    say(0, 6, "same")
    say(6, 1, "same")
    say(6, 2, "different")
    with site.database.read() as session:
        lost = TrackletRepository(session).list(limit=50).items[6]
    site.blobs.delete(lost.blob_key)
    _, taken = take(site, tmp_path)
    assert len(taken) == 11
    assert taken.must_link.tolist() == [[0, 1]]
    assert taken.cannot_link.tolist() == [[0, 2]]


def test_a_confirmed_pair_is_a_positive_and_a_rejected_one_never(site, say, tmp_path):
    for one, other, verdict in ((0, 7, "same"), (1, 2, "same"), (3, 9, "different")):
        say(one, other, verdict)
    _, taken = take(site, tmp_path)
    for name in ("within", "associate-1"):
        run_step(name, tmp_path, recipe=RECIPE, seed=0, weights=None, threads=1)
    with np.load(tmp_path / "associate-1" / "pairs.npz") as stored:
        pairs = PairWeights(stored["rows_a"], stored["rows_b"], stored["weights"])
    found = dict(zip(zip(pairs.rows_a.tolist(), pairs.rows_b.tolist(), strict=True), pairs.weights, strict=True))
    assert found[0, 7] == 1
    assert (3, 9) not in found
    seen = taken.sightings
    relations = Relations(
        seen.cameras,
        seen.starts_s,
        seen.ends_s,
        positives=pairs,
        doubtful=PairWeights(np.array([3]), np.array([9]), np.ones(1)),
        apart_s=5.0,
        one_camera=False,
        known=known_links(taken),
    )
    positives, unsure = relations.of(np.arange(len(taken)))
    assert positives[0, 7] == positives[7, 0] == positives[1, 2] == 1
    assert positives[3, 9] == positives[9, 3] == 0
    assert not unsure[3, 9], "it is somebody else for sure"


def test_in_the_papers_form_a_confirmed_pair_of_one_camera_is_one_class(site, say, tmp_path, monkeypatch):
    """Ten seconds apart as they are, the two would push each other away."""
    say(1, 2, "same")
    take(site, tmp_path)
    seen = []

    def watched(batch, groups):
        seen.append((batch.rows, joined_labels(batch, groups)))
        return seen[-1][1]

    monkeypatch.setattr(objectives, "joined_labels", watched)
    many = replace(PAPER, optimisation=replace(PAPER.optimisation, within_iterations=12))
    run_step("within", tmp_path, recipe=many, seed=0, weights=None, threads=1)
    met = [(rows, labels) for rows, labels in seen if {1, 2} <= {*rows.tolist()}]
    assert met, "they came into one batch"
    for rows, labels in met:
        assert len({*labels[np.isin(rows, [1, 2])].tolist()}) == 1
        assert len({*labels.tolist()}) == len({*rows.tolist()}) - 1, "and nobody else was joined"
