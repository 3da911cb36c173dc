"""`reknit feedback`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from reid_core.errors import FeedbackError, InputError, NoGenerationError, UnknownFeedbackError, UnknownTrackletError
from services.cli.main import app


@pytest.fixture
def run(small_site):
    def runs(*args):
        return CliRunner().invoke(app, ["feedback", *args, "--data-dir", str(small_site.settings.data_dir)])

    return runs


@pytest.fixture
def ids(small_site):
    return [small_site.ids[no] for no in sorted(small_site.ids)]


def test_a_verdict_is_added_listed_and_withdrawn(run, ids):
    said = json.loads(run("add", ids[1], ids[0], "same", "--note", "same bag", "--json", "-").stdout)
    assert (said["verdict"], said["note"], said["author"], said["contradictions"]) == (
        "same",
        "same bag",
        "command line",
        [],
    )
    listed = json.loads(run("list", "--json", "-").stdout)["items"]
    assert [one["feedback_id"] for one in listed] == [said["feedback_id"]]
    gone = json.loads(run("withdraw", said["feedback_id"], "--json", "-").stdout)
    assert (gone["counts"], gone["withdrawn"] is None) == (False, False)
    assert len(json.loads(run("list", "--json", "-").stdout)["items"]) == 1


def test_people_read_lines(run, ids):
    assert run("list").stdout.strip() == "Nothing was said yet."
    assert f"{ids[0]} = {ids[1]}  by command line" in run("add", ids[0], ids[1], "same").stdout
    told = run("add", ids[0], ids[1], "different", "--note", "other shoes").stdout
    assert "is not" in told
    assert "other shoes" in told
    newest, oldest = run("list").stdout.strip().splitlines()
    assert "(replaced)" in oldest
    assert "(withdrawn 20" in run("withdraw", newest.split()[0]).stdout
    assert "more with --cursor" in run("list", "--limit", "1").stdout


def test_a_contradiction_is_told_in_words(run, ids):
    run("add", ids[0], ids[1], "same")
    run("add", ids[1], ids[2], "same")
    done = run("add", ids[0], ids[2], "different")
    assert done.exit_code == 0
    chain = " = ".join([ids[0], ids[1], ids[2]])
    assert f"contradicts what else was said: {chain}, but the first is not the last" in done.stderr


def test_a_list_keeps_to_a_tracklet(run, ids):
    run("add", ids[0], ids[1], "same")
    run("add", ids[2], ids[1], "same")
    assert len(json.loads(run("list", "--tracklet", ids[0], "--json", "-").stdout)["items"]) == 1


def test_mistakes_are_told(run, ids, tmp_path):
    assert isinstance(run("add", ids[0], ids[0], "same").exception, FeedbackError)
    assert isinstance(run("add", ids[0], "nobody", "same").exception, UnknownTrackletError)
    assert isinstance(run("withdraw", "nothing").exception, UnknownFeedbackError)
    assert isinstance(run("add", ids[0], ids[1], "same", "--note", "x" * 1001).exception, InputError)
    assert run("add", ids[0], ids[1], "perhaps").exit_code == 2
    elsewhere = CliRunner().invoke(app, ["feedback", "list", "--data-dir", str(tmp_path / "none")])
    assert isinstance(elsewhere.exception, NoGenerationError)
