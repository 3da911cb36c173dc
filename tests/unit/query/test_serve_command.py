"""Where `reknit serve` agrees to listen."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reid_core.errors import ListenError, SchemaVersionError
from services.cli.main import app
from services.cli.serve import bound_socket, loopback_address

if TYPE_CHECKING:
    import socket


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.9", "127.0.0.9"),
        ("::1", "::1"),
        ("[::1]", "::1"),
    ],
)
def test_this_machines_own_addresses_are_taken(host, address):
    assert loopback_address(host) == address


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "8.8.8.8", "example.com", "", "127.0.0.1.example.com"]
)
def test_every_other_address_is_refused(host):
    with pytest.raises(ListenError) as refused:
        loopback_address(host)
    assert refused.value.exit_code == 2
    assert CliRunner().invoke(app, ["serve", "--host", host]).exception.args == refused.value.args


def test_a_port_in_use_is_told_in_one_line():
    with bound_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port} of 127.0.0.1 is in use"):
            bound_socket("127.0.0.1", port)


def test_a_database_of_another_version_is_told_of_before_anything_starts(small_site, monkeypatch):
    with closing(sqlite3.connect(small_site.settings.data_dir / "reknit.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'from the future'")
    monkeypatch.setattr("uvicorn.Server.run", lambda *_a, **_k: pytest.fail("started"))
    done = CliRunner().invoke(app, ["serve", "--port", "0", "--data-dir", str(small_site.settings.data_dir)])
    assert isinstance(done.exception, SchemaVersionError)
    assert "does not know" in str(done.exception)


def test_the_socket_is_given_back_when_starting_fails(monkeypatch, tmp_path):
    made: list[socket.socket] = []

    def remembered(address, port):
        made.append(bound_socket(address, port))
        return made[-1]

    monkeypatch.setattr("services.cli.serve.bound_socket", remembered)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_a, **_k: None)
    done = CliRunner().invoke(app, ["serve", "--no-work", "--port", "0", "--data-dir", str(tmp_path / "data")])
    assert isinstance(done.exception, ListenError)
    assert made[0].fileno() == -1
