"""One operation of the API as a value: the routes, the checks, the rights and the OpenAPI document all come from it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plomba.desk.api.services import Services
from plomba.desk.problems import Malformed
from plomba.errors import UsageError
from plomba.texts import LANGUAGES

JSON = "application/json"
CSV = "text/csv"
OCTETS = "application/octet-stream"
HTML = "text/html"
EVENT_STREAM = "text/event-stream"
ANYBODY = "anybody"
"""The right that nobody needs to prove."""
SAFE = ("GET", "HEAD")
"""Methods that change nothing (RFC 9110 section 9.2.1)."""

_NAMED = re.compile("Object (?:contains unknown|missing required) field `(.*)`", re.DOTALL)

Q = TypeVar("Q")
B = TypeVar("B")


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: at most `limit` bytes of one of `media_types`. `shape` describes the JSON; with `read` it
    is decoded and checked too, else the handler gets the bytes."""

    media_types: tuple[str, ...]
    limit: int
    shape: Any
    read: bool = True
    samples: Mapping[str, object] = field(default_factory=dict)
    """A sample of the body for each media type."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer carries. `messages`: what a stream's messages hold, by the name of the event."""

    shape: Any
    media_type: str = JSON
    messages: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """A request that passed the checks of its operation. `body` is decoded, or bytes; `prepared` is what the row's
    `prepare` made of it; `account` is who asks, as `authorize` (app.py) named him."""

    path: Any
    query: Q
    body: B
    media_type: str
    lang: str
    account: Any
    prepared: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A handler's answer: a Struct or other data becomes JSON, a Response goes as it is, None is no content. `changes`:
    whether pages and streams have something new to show."""

    content: Any
    status: int = 200
    changes: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    after: Callable[[], object] | None = None
    """What remains to be done in the book's thread when all is on disk, before the answer goes out."""


Handler = Callable[[Services, Call[Any, Any]], Any]
"""Runs in the book's thread; returns a Reply, or what a Reply of 200 carries. Raises PlombaError, ImportRefused."""
Streamer = Callable[[Services, Call[Any, Any], Request], Awaitable[Response]]
"""Runs in the event loop and makes its answer itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table. `path` is Starlette's, with `{name}` and `{name:path}`; `at` holds its parameters and `query`
    those behind the question mark, as Structs. `errors`: the codes it answers with beside those of all (openapi.py),
    by status. `prepare` runs in a thread of its own before the handler. `idempotent`: whether an Idempotency-Key is
    honoured; None for every method that is not safe."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    right: str
    handler: Handler | None = None
    streamer: Streamer | None = None
    at: Any = Nothing
    query: Any = Nothing
    body: Body | None = None
    answers: Mapping[int, Content | None] = field(default_factory=dict)
    errors: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    prepare: Handler | None = None
    idempotent: bool | None = None
    audited: bool = True
    """Whether each call that is not safe is a row of the audit."""
    noted: Callable[[Call[Any, Any]], str] = lambda call: ""
    """What a row of the audit says of a call before what the path names: a word without spaces, or "" for nothing."""
    whole: bool = False
    """Whether it is about all orders, so that an account that sees a part of them has no right to it."""
    security: tuple[tuple[str, ...], ...] | None = None
    """The schemes (openapi.py) by which it learns who asks: any of these sets will do; None: those of its right."""
    lenient: bool = False
    """Whether parameters that it does not know are passed over: pages are linked to from anywhere."""

    @property
    def keyed(self) -> bool:
        """Whether it honours an Idempotency-Key."""
        return self.method not in SAFE if self.idempotent is None else self.idempotent

    def path_parameters(self, found: Mapping[str, Any], url: str) -> Any:
        """Raises UsageError desk_not_found for what can be the name of nothing here."""
        try:
            return msgspec.convert(dict(found), self.at, strict=False)
        except msgspec.ValidationError as error:
            raise UsageError("desk_not_found", path=url) from error

    def query_parameters(self, found: list[tuple[str, str]]) -> Any:
        """Raises Malformed. `lang` is everywhere and read elsewhere."""
        values = dict(found)
        if len(values) != len(found) and not self.lenient:
            names = [name for name, _ in found]
            raise Malformed(next(name for name in values if names.count(name) > 1), "given twice")
        lang = values.pop("lang", None)
        if lang is not None and lang not in LANGUAGES and not self.lenient:
            raise Malformed("lang", f"one of {', '.join(LANGUAGES)}")
        if self.lenient:
            known = {one.encode_name for one in msgspec.structs.fields(self.query)}
            values = {name: value for name, value in values.items() if name in known}
        return checked(lambda: msgspec.convert(values, self.query, strict=False))


def checked(read: Callable[[], Any]) -> Any:
    """What msgspec makes of it. Raises Malformed that names the field and the reason."""
    try:
        return read()
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `")
        place = place.removesuffix("`").removeprefix("$")
        named = _NAMED.match(reason)
        raise Malformed((place + "." + named[1] if named else place).removeprefix("."), reason) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("", str(error)) from error
