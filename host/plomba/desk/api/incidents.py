"""Operations on incidents: listing them, one with its notes, closing it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from plomba.desk.api import shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import JSON, Body, Call, Content, Operation
from plomba.desk.api.services import Services
from plomba.desk.api.visible import hidden, person
from plomba.desk.incidents import Incident, Note
from plomba.desk.views import decimal
from plomba.desk.words import iso, names
from plomba.errors import UsageError

CLOSE_MAX = 16384
"""Bytes of the longest word about a closed incident, as it is sent."""
TEXT_MAX = 2000


class IncidentsQuery(shapes.Paged):
    """Which incidents. All filters hold together."""

    order: shapes.Named | None = None
    kind: (
        Annotated[str, Meta(max_length=40, pattern=shapes.NO_NUL, description="Only incidents of this kind.")] | None
    ) = None
    open: Annotated[Literal[0, 1], Meta(description="1: only those that nobody has closed.")] = 0


class IncidentPath(Struct):
    """Names an incident."""

    number: Annotated[int, Meta(ge=1, le=shapes.NUMBER_MAX, description="The incident's number.")]


class Closing(Struct, forbid_unknown_fields=True):
    """What has been done about an incident."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, pattern=shapes.NO_NUL)]


class IncidentAnswer(Struct):
    """An incident: the deadline `due` of an order in `state` passed, or a record reported it. The holder answered for
    the order then. `entry` is what began the deadline: a record's identity, "import" or "decision-N". `outcome`: late,
    on_time (and heard late), unproved (done, by a clock that was never set), taken_back, or null while it waits;
    `level`: how often it was escalated."""

    number: int
    order: str
    kind: str
    entry: str
    state: str
    due: str | None
    opened: str | None
    holder: str
    party: str
    value: str | None
    currency: str
    outcome: str | None
    closed: str | None
    level: int


class NoteAnswer(Struct):
    """A line under an incident. `seconds`: how late; `record`: the record that says so, "" for none; `person`: who
    wrote it."""

    number: int
    time: str | None
    what: str
    record: str
    seconds: int | None
    person: str
    text: str


class Incidents(Struct):
    """A page of incidents, the oldest first."""

    incidents: list[IncidentAnswer]
    next: str | UnsetType = UNSET


class NotedIncident(IncidentAnswer):
    """An incident with all that was noted about it."""

    notes: list[NoteAnswer]


class IncidentMessage(Struct):
    """A message `incident` of the stream: one more note under an incident."""

    incident: int
    order: str
    kind: str
    what: str
    seconds: int | None
    record: str
    time: str | None
    person: str
    text: str
    number: int


def listed(services: Services, call: Call[IncidentsQuery, None]) -> Incidents:
    query = call.query
    name = listing("incidents", [query.order, query.kind, query.open])
    after = 0 if query.cursor is None else services.cursors.open(name, query.cursor, int)
    found = services.book.incidents.listed(
        order_id=query.order,
        kind=query.kind,
        open=bool(query.open),
        after=after,
        limit=query.limit + 1,
        seen=call.account.narrowed("o"),
    )
    rows, more = page(found, query.limit, lambda one: one.number)
    return Incidents([_answer(one) for one in rows], UNSET if more is None else services.cursors.seal(name, more))


def one(services: Services, call: Call[None, None]) -> NotedIncident:
    return _noted(services, _incident(services, call))


def close(services: Services, call: Call[None, Closing]) -> NotedIncident:
    number = _incident(services, call).number
    services.book.close_incident(number, person(call), call.body.text)
    return _noted(services, services.book.incidents.get(number))


def message(incident: Incident, note: Note) -> IncidentMessage:
    return IncidentMessage(
        incident=incident.number,
        order=incident.order_id,
        kind=incident.kind,
        what=note.what,
        seconds=note.seconds,
        record=note.record,
        time=iso(note.at),
        person=note.person,
        text=note.text,
        number=note.number,
    )


def _incident(services: Services, call: Call[None, Closing] | Call[None, None]) -> Incident:
    """Raises UsageError desk_incident_unknown, also for one of an order that the account does not see."""
    found = services.book.incidents.get(call.path.number)
    if hidden(services, call, found.order_id):
        raise UsageError("desk_incident_unknown", number=found.number)
    return found


def _noted(services: Services, incident: Incident) -> NotedIncident:
    notes = [
        NoteAnswer(note.number, iso(note.at), note.what, note.record, note.seconds, note.person, note.text)
        for note in services.book.incidents.notes(incident.number)
    ]
    own = _answer(incident)
    return NotedIncident(**{name: getattr(own, name) for name in own.__struct_fields__}, notes=notes)


def _answer(one: Incident) -> IncidentAnswer:
    return IncidentAnswer(
        number=one.number,
        order=one.order_id,
        kind=one.kind,
        entry=one.entry,
        state=names("state")[one.state],
        due=iso(one.due),
        opened=iso(one.opened),
        holder=one.holder,
        party=one.party,
        value=None if one.value is None else decimal(one.value, one.currency),
        currency=one.currency,
        outcome=one.outcome,
        closed=None if one.closed is None else iso(one.closed),
        level=one.level,
    )


_UNKNOWN = {404: ("desk_incident_unknown",)}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/incidents",
        name="listIncidents",
        tag="incidents",
        summary="List incidents page by page, the oldest first.",
        right="incidents.read",
        handler=listed,
        query=IncidentsQuery,
        answers={200: Content(Incidents)},
        errors={400: ("desk_cursor",)},
    ),
    Operation(
        method="GET",
        path="/api/v1/incidents/{number}",
        name="getIncident",
        tag="incidents",
        summary="One incident with all that was noted about it.",
        right="incidents.read",
        handler=one,
        at=IncidentPath,
        answers={200: Content(NotedIncident)},
        errors=_UNKNOWN,
    ),
    Operation(
        method="POST",
        path="/api/v1/incidents/{number}/close",
        name="closeIncident",
        tag="incidents",
        summary="Say that an incident has been dealt with, and how. It stays, with all its notes.",
        right="incidents.close",
        handler=close,
        at=IncidentPath,
        body=Body((JSON,), CLOSE_MAX, Closing, samples={JSON: {"text": "Parcel found behind the shelf."}}),
        answers={200: Content(NotedIncident)},
        errors={**_UNKNOWN, 409: ("desk_incident_closed",)},
    ),
)
