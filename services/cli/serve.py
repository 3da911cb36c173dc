"""`reknit serve`: the query service over HTTP."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from reid_core.errors import ListenError
from services.cli.options import DataDir, load_settings

_BACKLOG = 2048
_GRACE_S = 5


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="serve")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at; only this machine's own until there are keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 = any free one.")] = 8000,
    work: Annotated[
        bool | None,
        typer.Option(help="Run jobs as well, in a worker beside it; default: where the data folder holds everything."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve searches, tracklets and crops over HTTP until interrupted."""
    address = loopback_address(host)
    with bound_socket(address, port) as listening:
        import uvicorn

        from services.bootstrap import open_database
        from services.cli.children import ending_with_us
        from services.cli.worker_child import supervised_worker
        from services.observability import configure_logging
        from services.query.app import create_app

        settings = load_settings(data_dir)
        named = f"[{address}]" if ":" in address else address
        settings = settings.model_copy(update={"known_hosts": settings.known_hosts | {named, host.lower()}})
        configure_logging(settings.log_level)
        open_database(settings).close()  # a database that does not fit is told of in one line, before anything starts
        print(f"reknit: serving {settings.data_dir} at http://{named}:{listening.getsockname()[1]}", file=sys.stderr)
        config = uvicorn.Config(
            create_app(settings),
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = uvicorn.Server(config)
        has_worker = not settings.database_url if work is None else work
        with ending_with_us(), supervised_worker(settings) if has_worker else nullcontext():
            server.run(sockets=[listening])
    if not server.started:
        raise ListenError("the service did not start; the log says why")


def loopback_address(host: str) -> str:
    """The address to listen at.

    Raises:
        ListenError: If it is not this machine's own: everybody who reaches the service may read all of it.
    """
    if host.lower() == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ListenError(f"{host!r} is no IP address and not 'localhost'") from None
    if not address.is_loopback:
        raise ListenError(f"{host} can be reached by others, and there is no authentication yet; use 127.0.0.1")
    return str(address)


def bound_socket(address: str, port: int) -> socket.socket:
    """A socket that listens at the address.

    Raises:
        ListenError: If the port is in use or not allowed.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ListenError(f"port {port} of {address} is in use; choose another with --port") from None
        raise ListenError(f"port {port} of {address}: {error.strerror}") from None
    return listening
