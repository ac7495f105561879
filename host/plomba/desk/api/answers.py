"""What answers carry: types, and how the book's rows become them. Names are the vocabulary's, money is exact decimal
text, times are RFC 3339 in UTC, null for a clock that was not set."""

from __future__ import annotations

import base64

from msgspec import UNSET, Struct, UnsetType, field

from plomba.desk.differences import Difference
from plomba.desk.listings import Effect, Listed, Row, Told
from plomba.desk.steps import DONE, MOVED
from plomba.desk.views import OrderView, decimal, said
from plomba.desk.words import iso, names
from plomba_wire import tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Tlv


class Problem(Struct, kw_only=True):
    """An error as RFC 9457 says it. `code` is stable, `detail` says what is wrong and why, `next` what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    next: str
    field: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    rows: list[BadRow] | UnsetType = UNSET
    total: int | UnsetType = UNSET


class BadRow(Struct):
    """A mistake in an order file. `row` is counted as a spreadsheet does; column "" means the row as a whole."""

    row: int
    column: str
    code: str
    reason: str
    next: str


class Last(Struct):
    """The last record about an order."""

    action: str
    verdict: str
    time: str | None
    received: str | None


class OrderAnswer(Struct):
    """An order as it stands. `party`: which of the holders; `lacks`: the columns that its intake asks for; `not_heard`:
    the deadline since which a terminal has not reported, nobody's fault. `seals` counts those that hold, `differences`
    the records that say otherwise."""

    order: str
    class_: str = field(name="class")
    state: str
    holder: str
    party: str
    place: int
    value: str | None
    currency: str
    shop: str
    cell: str
    bag: str | None
    seals: int
    lacks: list[str]
    not_heard: str | None
    differences: int
    last: Last | None


class Orders(Struct):
    """A page of orders, in the order of import."""

    orders: list[OrderAnswer]
    next: str | UnsetType = UNSET


class Mistake(Struct):
    """Why a row cannot be taken; column "" is the row as a whole."""

    row: int
    column: str
    code: str
    reason: str
    next: str


class Imported(Struct):
    """Orders that were taken, and orders that were here already, just so. `lacking`: those that lack what the intake
    asks for; `erased`: those whose personal data was not taken again. Of a dry run, what would become of the file:
    `changed` orders would replace what is held; `bad` counts the mistakes, of which `rows` lists the first thousand."""

    imported: int
    unchanged: int
    lacking: int | UnsetType = UNSET
    erased: int | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET
    changed: int | UnsetType = UNSET
    bad: int | UnsetType = UNSET
    rows: list[Mistake] | UnsetType = UNSET


class Entered(Struct):
    """What a late entry says: the action, and how many minutes before the record it was done."""

    action: str | None
    minutes: int


class EventAnswer(Struct):
    """A verified record, and what it did to an order. `difference`: the terminal claims another state; `position` is
    its place among the order's records; `number` the order of arrival."""

    id: str
    terminal: str
    label: str
    epoch: int
    seq: int
    action: str
    verdict: str
    code_kind: str
    actor: int
    place: int
    time: str | None
    received: str | None
    order: str | None
    bag: str | None
    entered: Entered | None
    effect: bool
    why: str | None
    before: str | None
    after: str | None
    position: int | None
    claim: str | None
    difference: bool
    previous: str
    body: str
    signature: str
    number: int


class Events(Struct):
    """A page of records: of one order in the order they count, of all orders the newest first."""

    events: list[EventAnswer]
    next: str | UnsetType = UNSET


class Result(Struct, omit_defaults=True):
    """What became of one event of a batch. `code` and `reason` of a refused one."""

    id: str | None
    status: str
    code: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class Results(Struct):
    """One for each event, in their order."""

    results: list[Result]


class DifferenceAnswer(Struct):
    """Where a terminal and the desk do not agree: what the terminal claims, where the desk had the order after that
    record, and where it has it now."""

    order: str | None
    id: str
    label: str
    action: str
    verdict: str
    claim: str | None
    desk: str | None
    state: str | None
    why: str
    time: str | None
    received: str | None


class Differences(Struct):
    """A page of differences, the newest record first."""

    total: int
    differences: list[DifferenceAnswer]
    next: str | UnsetType = UNSET


class Enrolled(Struct):
    """A terminal that the desk knows from here on."""

    terminal: str
    label: str


class Health(Struct):
    """Sizes of the book. `answers`: what became of every event that ever came."""

    status: str
    orders: int
    events: int
    terminals: int
    conflicts: int
    answers: dict[str, int]


class Did(Struct):
    """What a record did to one order, as the desk knows it when it says so: a record that comes late may change it."""

    order: str
    effect: bool
    why: str
    before: str
    after: str
    claim: str | None
    difference: bool


class RecordMessage(Struct):
    """A message `record` of the stream: an accepted record, and what it did to each order it is about."""

    id: str
    terminal: str
    label: str
    epoch: int
    seq: int
    action: str
    verdict: str
    code_kind: str
    actor: int
    place: int
    time: str | None
    received: str | None
    order: str | None
    bag: str | None
    did: list[Did]
    previous: str
    body: str
    signature: str
    number: int


def order_answer(view: OrderView) -> OrderAnswer:
    last = view.last
    return OrderAnswer(
        order=view.id,
        class_=names("order_class")[view.order_class].lower(),
        state=names("state")[view.state],
        holder=view.holder,
        party=view.party,
        place=view.place,
        value=None if view.value is None else decimal(view.value, view.currency),
        currency=view.currency,
        shop=view.shop,
        cell=view.cell,
        bag=view.bag or None,
        seals=view.seals,
        lacks=list(view.lacks),
        not_heard=None if view.unheard is None else iso(view.unheard),
        differences=view.disputed,
        last=None
        if last is None
        else Last(names("action")[last.action], names("verdict")[last.verdict], iso(last.time), iso(last.received)),
    )


def event_answer(listed: Listed) -> EventAnswer:
    row, effect = listed.row, listed.effect
    head = RecordHead.read(row.body, 0)
    states = names("state")
    return EventAnswer(
        id=_identity(head),
        terminal=head.terminal.hex(),
        label=row.label,
        epoch=head.epoch,
        seq=head.seq,
        action=names("action")[head.action],
        verdict=names("verdict")[head.verdict],
        code_kind=names("code_kind")[head.code_kind],
        actor=head.actor,
        place=head.place,
        time=iso(head.t_utc),
        received=iso(row.received),
        order=effect and effect.order_id,
        bag=said(row.bag) or None,
        entered=_entered(head, row.body),
        effect=_effective(effect),
        why=effect and effect.why,
        before=effect and states[effect.before],
        after=effect and states[effect.after],
        position=effect and effect.position,
        claim=states[head.state_after] if head.state_after else None,
        difference=bool(effect and effect.disputed),
        **_proof(row),
        number=row.number,
    )


def record_message(told: Told) -> RecordMessage:
    row = told.row
    head = RecordHead.read(row.body, 0)
    states = names("state")
    return RecordMessage(
        id=_identity(head),
        terminal=head.terminal.hex(),
        label=row.label,
        epoch=head.epoch,
        seq=head.seq,
        action=names("action")[head.action],
        verdict=names("verdict")[head.verdict],
        code_kind=names("code_kind")[head.code_kind],
        actor=head.actor,
        place=head.place,
        time=iso(head.t_utc),
        received=iso(row.received),
        order=row.order_id,
        bag=said(row.bag) or None,
        did=[
            Did(
                order=effect.order_id,
                effect=_effective(effect),
                why=effect.why,
                before=states[effect.before],
                after=states[effect.after],
                claim=states[effect.claim] if effect.claim else None,
                difference=bool(effect.disputed),
            )
            for effect in told.effects
        ],
        **_proof(row),
        number=row.number,
    )


def difference_answer(one: Difference) -> DifferenceAnswer:
    states = names("state")
    claim = one.head.state_after if one.claim is None else one.claim
    return DifferenceAnswer(
        order=one.order_id,
        id=_identity(one.head),
        label=one.label,
        action=names("action")[one.head.action],
        verdict=names("verdict")[one.head.verdict],
        claim=states[claim] if claim else None,
        desk=None if one.after is None else states[one.after],
        state=None if one.state is None else states[one.state],
        why=one.why,
        time=iso(one.head.t_utc),
        received=iso(one.received),
    )


def _identity(head: RecordHead) -> str:
    return f"{head.terminal.hex()}-{head.epoch}-{head.seq}"


def _effective(effect: Effect | None) -> bool:
    return effect is not None and effect.why in (MOVED, DONE)


def _proof(row: Row) -> dict[str, str]:
    return {
        "previous": row.previous.hex(),
        "body": base64.b64encode(row.body).decode(),
        "signature": base64.b64encode(row.signature).decode(),
    }


def _entered(head: RecordHead, body: bytes) -> Entered | None:
    late = tlv.unpack(body, RecordHead.SIZE).get(Tlv.LATE) if head.action == Action.LATE_ENTRY else None
    if late is None or len(late) != 3:
        return None
    return Entered(names("action").get(late[0]), int.from_bytes(late[1:], "big"))
