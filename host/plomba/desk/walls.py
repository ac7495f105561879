"""What every answer carries and every request must pass, whatever it asks for."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plomba.desk.problems import problem
from plomba.errors import UsageError

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Walls:
    """ASGI middleware. `hosts` are the names the desk answers to, None = any: on loopback a foreign name means a web
    page elsewhere has had its own name pointed here (DNS rebinding)."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_walled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        host = Headers(scope=scope).get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            answer = problem(UsageError("desk_host", found=host), 421, "en")
            await answer(scope, receive, send_walled)
        else:
            await self._app(scope, receive, send_walled)


def hosts_for(host: str, names: Collection[str] = ()) -> frozenset[str] | None:
    """The names to answer to when bound to `host`: any beyond loopback, where others have their own names for it.
    `names`: of a proxy on this machine, which passes on the name that it has."""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return frozenset({"localhost", "127.0.0.1", "::1", host, *(name.lower() for name in names)}) if local else None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
