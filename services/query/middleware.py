"""What happens around every request: its log line, its headers, the hosts it may name, and the bytes it may send."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from services.identifiers import new_uuid7
from services.query.problems import problem_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit", "KnownHostsOnly", "RequestLog", "SafeHeaders"]

_TOO_LARGE = 413
_MISDIRECTED = 421
_OUR_MISTAKE = 500
_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})


class RequestLog:
    """One log line for each request, under an id that the answer carries and every line of the request bears.

    An error that nothing foresaw ends here: the log tells all of it, the answer only the id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log: Any = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_uuid7())
        began_s = time.perf_counter()
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                self._log.exception("http.failed", path=scope["path"])
                if status is not None:  # the answer has begun; the server will break it off
                    raise
                detail = f"The log says more under {request_id}."
                await problem_answer(scope["path"], _OUR_MISTAKE, detail=detail)(scope, receive, send_with_id)
            finally:
                tell = self._log.debug if scope["path"] in _QUIET_PATHS else self._log.info
                spent_ms = round((time.perf_counter() - began_s) * 1e3, 1)
                tell("http.request", method=scope["method"], path=scope["path"], status=status, ms=spent_ms)


class SafeHeaders:
    """Headers that keep browsers from guessing, framing and caching; a route's own choice stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and add the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class KnownHostsOnly:
    """Refuses a request that names a foreign host.

    Without authentication, being reachable from this machine alone is all the protection there is; a web page that
    points a name of its own at this machine (DNS rebinding) would get around it, but cannot forge the Host header.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request if its host is known."""
        if scope["type"] == "http":
            named = Headers(scope=scope).get("host", "")
            if re.sub(r":\d*$", "", named).lower() not in self._hosts:
                answer = problem_answer(scope["path"], _MISDIRECTED, detail=f"This service is not {named[:100]!r}.")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses a body that is too large: at once where its length is stated, else as soon as it passes the limit."""

    def __init__(self, app: ASGIApp, *, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request while it keeps to the limit of its path."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        detail = f"At most {limit:,} bytes are accepted here."
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isdigit() and int(stated) > limit:
            await problem_answer(scope["path"], _TOO_LARGE, detail=detail)(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(_TOO_LARGE, detail)
            return message

        await self._app(scope, receive_within_limit, send)
