"""Operations on terminals: enrolment, and the signed objects made for them."""

from __future__ import annotations

import re

from starlette.responses import Response

from plomba.desk.api import answers, shapes
from plomba.desk.api.operations import JSON, OCTETS, Body, Call, Content, Operation
from plomba.desk.api.services import Services
from plomba.errors import UsageError

ENROL_MAX = 4096
"""Bytes of the longest enrolment."""
_ID = re.compile(r"[0-9a-f]{16}")


def enrol(services: Services, call: Call[None, shapes.Enrolment]) -> answers.Enrolled:
    terminal = services.book.enrol(call.body.certificate, call.body.place)
    return answers.Enrolled(terminal.id.hex(), terminal.label)


def manifest(services: Services, call: Call[None, None]) -> Response:
    return _octets(services.book.manifest(_terminal(call)))


def rules(services: Services, call: Call[None, None]) -> Response:
    return _octets(services.book.rules(_terminal(call)))


def staff(services: Services, call: Call[None, None]) -> Response:
    return _octets(services.book.staff(_terminal(call)))


def seals(services: Services, call: Call[None, None]) -> Response | None:
    signed = services.book.seals(_terminal(call))
    return None if signed is None else _octets(signed)


def _octets(content: bytes) -> Response:
    return Response(content, media_type=OCTETS)


def _terminal(call: Call[None, None]) -> bytes:
    text: str = call.path.terminal
    if not _ID.fullmatch(text):
        raise UsageError("desk_terminal_unknown", terminal=text)
    return bytes.fromhex(text)


_OBJECT = Content(bytes, OCTETS)
_UNKNOWN = {404: ("desk_terminal_unknown",)}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/terminals",
        name="enrolTerminal",
        tag="terminals",
        summary="Make a terminal known that the organisation's root certified.",
        right="terminals.write",
        handler=enrol,
        body=Body((JSON,), ENROL_MAX, shapes.Enrolment, samples={JSON: {"certificate": "AAAA", "place": 17}}),
        answers={200: Content(answers.Enrolled)},
        errors={
            409: ("desk_certificate_older",),
            422: ("root_foreign", "role_wrong", "certificate_dates", "signature_bad", "object_malformed"),
        },
    ),
    Operation(
        method="GET",
        path="/api/v1/terminals/{terminal}/manifest",
        name="getManifest",
        tag="terminals",
        summary="The signed list of orders for one terminal, with its certificate.",
        right="terminal_objects.read",
        handler=manifest,
        at=shapes.TerminalPath,
        answers={200: _OBJECT},
        errors=_UNKNOWN,
    ),
    Operation(
        method="GET",
        path="/api/v1/terminals/{terminal}/rules",
        name="getRules",
        tag="terminals",
        summary="The signed rule pack in force, with its certificate.",
        right="terminal_objects.read",
        handler=rules,
        at=shapes.TerminalPath,
        answers={200: _OBJECT},
        errors=_UNKNOWN,
    ),
    Operation(
        method="GET",
        path="/api/v1/terminals/{terminal}/staff",
        name="getStaff",
        tag="terminals",
        summary="The signed staff list in force, with its certificate.",
        right="terminal_objects.read",
        handler=staff,
        at=shapes.TerminalPath,
        answers={200: _OBJECT},
        errors={404: ("desk_terminal_unknown", "desk_staff_none")},
    ),
    Operation(
        method="GET",
        path="/api/v1/terminals/{terminal}/seals",
        name="getSeals",
        tag="terminals",
        summary="The signed list of the organisation's own seals, with its certificate; no content for none.",
        right="terminal_objects.read",
        handler=seals,
        at=shapes.TerminalPath,
        answers={200: _OBJECT, 204: None},
        errors=_UNKNOWN,
    ),
)
