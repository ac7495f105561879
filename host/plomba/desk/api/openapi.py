"""The OpenAPI 3.1 document of a table of operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from plomba import __version__
from plomba.desk.accounts.accounts import CSRF_HEADER
from plomba.desk.accounts.cookies import cookie_name
from plomba.desk.accounts.rights import rights
from plomba.desk.api.answers import Problem
from plomba.desk.api.idempotency import HEADER, KEPT_S, KEY_MAX
from plomba.desk.api.operations import ANYBODY, JSON, SAFE, Content, Operation
from plomba.texts import LANGUAGES

PROBLEM = "application/problem+json"
_REF = "#/components/schemas/{name}"
_ABOUT = """The order desk: state moves by verified records only, and no operation here sets it.

Every error is a problem of RFC 9457 with a stable `code`. A desk without accounts asks nobody who they are. Docs:
docs/api.md."""

TOKEN = (("token",),)
SESSION = (("session",),)
WRITING_SESSION = (("session", "csrf"),)
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "An account's token (docs/accounts.md)."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookie_name(""),
        "description": f"A browser's session, which logIn opens. On loopback the cookie is {cookie_name('localhost')}.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "`csrf` of the session: what a session changes something with.",
    },
}

Json = dict[str, Any]


def document(table: Sequence[Operation]) -> Json:
    """The same for the same table, whatever machine it is made on."""
    shapes = _shapes(table)
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    known = {id(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
    paths: dict[str, Json] = {}
    for operation in table:
        path = re.sub(r":\w+\}", "}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, known, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "plomba order desk", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components) if not _asked(name)},
            "securitySchemes": _SCHEMES,
        },
    }


def _shapes(table: Sequence[Operation]) -> list[Any]:
    found: list[Any] = [Problem]
    for operation in table:
        found += [operation.at, operation.query]
        if operation.body is not None:
            found.append(operation.body.shape)
        for content in operation.answers.values():
            if content is not None:
                found += [content.shape, *content.messages.values()]
    return list({id(shape): shape for shape in found}.values())


def _asked(component: str) -> bool:
    """Parameters stand at their operation."""
    return component.endswith(("Query", "Path")) or component in ("Paged", "Nothing")


def _operation(operation: Operation, known: dict[int, Json], components: Json) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters(operation, known, components),
        "responses": _responses(operation, known),
        "security": [{scheme: [] for scheme in schemes} for schemes in _security(operation)],
        "x-right": operation.right,
    }
    body = operation.body
    if body is not None:
        described["requestBody"] = {
            "required": True,
            "description": f"At most {body.limit} bytes.",
            "content": {
                media_type: {
                    "schema": known[id(body.shape)] if media_type.endswith("json") else {"type": "string"},
                    **({"example": body.samples[media_type]} if media_type in body.samples else {}),
                }
                for media_type in body.media_types
            },
        }
    return described


def _parameters(operation: Operation, known: dict[int, Json], components: Json) -> list[Json]:
    found = []
    for place, shape in (("path", operation.at), ("query", operation.query)):
        schema = components[known[id(shape)]["$ref"].rpartition("/")[2]]
        for name, one in schema["properties"].items():
            one = _present(dict(one))
            about = one.pop("description", "")
            found.append({"name": name, "in": place, "required": place == "path", "description": about, "schema": one})
    found.append(
        {
            "name": "lang",
            "in": "query",
            "required": False,
            "description": "Language of messages; else the header Accept-Language decides.",
            "schema": {"type": "string", "enum": list(LANGUAGES)},
        }
    )
    if operation.keyed:
        found.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": f"The same key with the same request gets the same answer for {KEPT_S // 86400} days.",
                "schema": {"type": "string", "pattern": f"^[!#-\\[\\]-~]{{1,{KEY_MAX}}}$"},
            }
        )
    return found


def _security(operation: Operation) -> tuple[tuple[str, ...], ...]:
    if operation.security is not None:
        return operation.security
    if _for_anybody(operation):
        return ()
    return TOKEN + (SESSION if operation.method in SAFE else WRITING_SESSION)


def _for_anybody(operation: Operation) -> bool:
    return operation.right == ANYBODY or ANYBODY in rights()[operation.right]


def _present(schema: Json) -> Json:
    """A parameter that may be missing is missing, not null."""
    options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(options) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return {**options[0], **rest}


def _responses(operation: Operation, known: dict[int, Json]) -> Json:
    found: Json = {}
    for status, content in operation.answers.items():
        found[str(status)] = {"description": "Done." if content else "Done; there is nothing to say."}
        if content is not None:
            found[str(status)]["content"] = {content.media_type: {"schema": _carried(content, known)}}
    for status, codes in sorted(errors(operation).items()):
        found[str(status)] = {
            "description": ", ".join(codes),
            "content": {PROBLEM: {"schema": {"$ref": _REF.format(name=Problem.__name__)}}},
        }
    return found


def _carried(content: Content, known: dict[int, Json]) -> Json:
    if content.shape is bytes:
        return {}
    if not content.messages:
        return known[id(content.shape)]
    # OpenAPI 3.1 has no word for the items of a stream; tools take the schema of an event stream for each message's.
    messages = [_message(name, known[id(shape)]) for name, shape in content.messages.items()]
    return messages[0] if len(messages) == 1 else {"oneOf": messages}


def _message(name: str, schema: Json) -> Json:
    data = {"type": "string", "contentMediaType": JSON, "contentSchema": schema}
    return {
        "type": "object",
        "properties": {"event": {"const": name}, "id": {"type": "string"}, "data": data},
        "required": ["event", "id", "data"],
    }


def errors(operation: Operation) -> dict[int, list[str]]:
    """Every code that the operation answers with, by status."""
    found: dict[int, list[str]] = {status: list(codes) for status, codes in operation.errors.items()}

    def also(status: int, *codes: str) -> None:
        found[status] = [*found.get(status, ()), *(code for code in codes if code not in found.get(status, ()))]

    if not _for_anybody(operation):
        also(401, "desk_login_needed", "desk_token_unknown")
        also(403, "desk_right", *(() if operation.method in SAFE else ("desk_csrf", "desk_foreign_site")))
    if not operation.lenient or operation.body is not None:
        also(400, "desk_request_malformed")
    if "{" in operation.path:
        also(404, "desk_not_found")
    if operation.body is not None:
        also(413, "desk_body_large")
        also(415, "desk_media_type")
    if operation.keyed:
        also(409, "desk_key_running")
        also(422, "desk_key_reused")
    also(421, "desk_host")
    also(500, "desk_internal")
    also(503, "desk_store_down")
    return found
