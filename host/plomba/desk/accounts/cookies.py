"""The cookie of a session, and whether a page is the desk's own."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from plomba.desk.accounts.sessions import LIFE

_NAME = "plomba-session"
_PORTS = {"http": 80, "https": 443}


def cookie_name(host: str) -> str:
    """By the Host header. Beyond loopback a browser takes it over TLS only, and `__Host-` keeps neighbours' names from
    setting it (RFC 6265bis section 4.1.3)."""
    return _NAME if on_loopback(host) else f"__Host-{_NAME}"


def set_cookie(host: str, token: str) -> str:
    """A Set-Cookie header; with an empty token the browser forgets it."""
    secure = "" if on_loopback(host) else "; Secure"
    life = LIFE if token else 0
    return f"{cookie_name(host)}={token}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}"


def on_loopback(host: str) -> bool:
    """Whether a Host header names this machine."""
    name, _ = _place(f"http://{host}") or ("", 0)
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def same_place(origin: str, host: str) -> bool:
    """Whether an Origin header names the place of the Host header. A proxy that ends TLS hides the scheme: the port
    that it stands for is no difference."""
    scheme = origin.partition("://")[0].lower()
    found = _place(origin)
    return found is not None and scheme in _PORTS and found == _place(f"{scheme}://{host}")


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "", parts.port or _PORTS[parts.scheme]) if parts.hostname else None
    except (ValueError, KeyError):
        return None
