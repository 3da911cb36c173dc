from __future__ import annotations

import psycopg
import pytest
from servers import LOCAL_SERVER, NoServerError, postgres_server


@pytest.mark.slow
def test_a_server_from_the_wheel_answers_and_is_gone_afterwards():
    with postgres_server("pgserver") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url).close()


def test_a_named_server_that_does_not_answer_is_an_error_and_not_another_server():
    with (
        pytest.raises(NoServerError, match="which does not answer"),
        postgres_server(LOCAL_SERVER.replace("5432", "1")),
    ):
        pass


def test_without_server_and_wheel_there_is_none(monkeypatch):
    monkeypatch.setattr("servers._answers", lambda _url: False)
    monkeypatch.setattr("servers.WHEEL", "no_such_wheel")
    with pytest.raises(NoServerError, match="no_such_wheel is not installed"), postgres_server("auto"):
        pass
