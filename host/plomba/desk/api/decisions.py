"""Operations on decisions: what people decide about an order, where the lifecycle lets them."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from plomba.desk import lifecycle
from plomba.desk.api import shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import JSON, Body, Call, Content, Operation, Reply
from plomba.desk.api.services import Services
from plomba.desk.api.visible import order_of, person
from plomba.desk.decisions import Outcome
from plomba.desk.words import iso, names

DECIDE_MAX = 32768
"""Bytes of the longest decision, as it is sent."""
SOURCE_MAX = 120
REASON_MAX = 2000


class Deciding(Struct, forbid_unknown_fields=True, kw_only=True):
    """A decision. REFUND, REJECT and LOSS stand on a record of the order and name it; CANCEL names the `source` where
    it came from, and its id there."""

    kind: Annotated[str, shapes.one_of(list(lifecycle.load().decisions), "What is decided.")]
    record: Annotated[
        str, Meta(max_length=40, pattern=shapes.NO_NUL, description="Identity of a record: terminal-epoch-seq.")
    ] = ""
    source: Annotated[str, Meta(max_length=SOURCE_MAX, pattern=shapes.NO_NUL)] = ""
    external_id: Annotated[str, Meta(max_length=SOURCE_MAX, pattern=shapes.NO_NUL)] = ""
    reason: Annotated[str, Meta(max_length=REASON_MAX, pattern=shapes.NO_NUL)] = ""


class DecisionAnswer(Struct):
    """A decision, and what it did as all records that are here have it: `why` is moved, or wrong_state where a record
    that was heard later has the order elsewhere; `difference` says that this is so. `time` is when it counts."""

    number: int
    order: str
    kind: str
    time: str | None
    record: str
    person: str
    source: str
    external_id: str
    reason: str
    effect: bool
    why: str | None
    before: str | None
    after: str | None
    difference: bool


class Decisions(Struct):
    """A page of an order's decisions, the oldest first."""

    decisions: list[DecisionAnswer]
    next: str | UnsetType = UNSET


def decide(services: Services, call: Call[None, Deciding]) -> Reply:
    body = call.body
    outcome = services.book.decide(
        body.kind,
        order_of(services, call).id,
        person=person(call),
        record=body.record,
        source=body.source,
        external_id=body.external_id,
        reason=body.reason,
    )
    return Reply(answer(outcome))


def listed(services: Services, call: Call[shapes.Paged, None]) -> Decisions:
    id, query = order_of(services, call).id, call.query
    name = listing("decisions", id)
    after = 0 if query.cursor is None else services.cursors.open(name, query.cursor, int)
    found = services.book.decisions.listed(id, after, query.limit + 1)
    rows, more = page(found, query.limit, lambda one: one.decision.number)
    return Decisions([answer(one) for one in rows], UNSET if more is None else services.cursors.seal(name, more))


def answer(outcome: Outcome) -> DecisionAnswer:
    decision, states = outcome.decision, names("state")
    return DecisionAnswer(
        number=decision.number,
        order=decision.order_id,
        kind=decision.kind,
        time=iso(decision.at),
        record=decision.record,
        person=decision.person,
        source=decision.source,
        external_id=decision.external_id,
        reason=decision.reason,
        effect=outcome.moved,
        why=outcome.why,
        before=None if outcome.before is None else states[outcome.before],
        after=None if outcome.after is None else states[outcome.after],
        difference=outcome.disputed,
    )


_SAMPLE = {"kind": "CANCEL", "source": "marketplace", "external_id": "C-771", "reason": "The customer asked."}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/orders/{id:path}/decisions",
        name="decide",
        tag="decisions",
        summary="Take a decision about an order: cancel it, or refund, reject or write it off on the record that proves"
        " it. No refund before the inspection was scanned.",
        right="decisions.write",
        handler=decide,
        noted=lambda call: call.body.kind,
        at=shapes.OrderPath,
        body=Body((JSON,), DECIDE_MAX, Deciding, samples={JSON: _SAMPLE}),
        answers={200: Content(DecisionAnswer)},
        errors={
            400: ("desk_decision_field",),
            404: ("desk_order_unknown",),
            409: ("desk_decision_state",),
            422: ("desk_decision_record",),
        },
    ),
    Operation(
        method="GET",
        path="/api/v1/orders/{id:path}/decisions",
        name="listDecisions",
        tag="decisions",
        summary="List the decisions about an order page by page, the oldest first, with what each did.",
        right="orders.read",
        handler=listed,
        at=shapes.OrderPath,
        query=shapes.Paged,
        answers={200: Content(Decisions)},
        errors={400: ("desk_cursor",), 404: ("desk_order_unknown",)},
    ),
)
