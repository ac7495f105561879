"""One day of an organisation: its orders, and the signed records of all its terminals. Only signatures are unseeded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from plomba.bench.shop_steps import MIDNIGHT, WAREHOUSE, Day, Staff, Step
from plomba.desk.orders import Order
from plomba.testing.scanner import Event, Scanner
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba_wire import base45
from plomba_wire.vocabulary import Action, CodeKind, Flag, OrderClass, State, Tlv

TERMINALS = 60
RECORDS_AN_ORDER = 7
DAY = 86400
ENROLLED = MIDNIGHT - 30 * DAY
"""When the terminals were certified, s since 1970."""
_SEALED = 0.30
# How orders enter, and how many of a hundred.
_ENTRIES = ((State.NEW, 17), (State.STAGED, 22), (State.AT_POINT, 36), (State.READY, 25))
_COMMANDS = {
    Action.UNDO: "PLB*UNDO",
    Action.MISSING: "PLB*MISSING",
    Action.RELEASE: "PLB*RELEASE",
    Action.REFUSE: "PLB*REFUSE",
    Action.RETURN_OPEN: "PLB*RETURN",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A signed record: the event that a dock sends, when it was made, by which terminal, its number there."""

    event: Event
    time: int
    terminal: int
    seq: int


@dataclass(frozen=True, slots=True)
class ShopDay:
    """`records` as they were made. `imports`: when the shop's lists come and what is on them; each order is there
    before anybody scans it. `truth`: order id -> the state that people left it in."""

    orders: Sequence[Order]
    imports: Sequence[tuple[int, Sequence[Order]]]
    staff: Staff
    scanners: Sequence[Scanner]
    records: Sequence[Made]
    truth: dict[str, int]


def make(
    organisation: Organisation, orders: int, seed: int, terminals: int = TERMINALS, prefix: str = "", days: int = 0
) -> ShopDay:
    """`orders` orders and seven times as many records. `prefix` begins every id and seal, so that days do not meet;
    `days` after MIDNIGHT is this one."""
    staff = Staff.of(terminals)
    listed = make_orders(orders, seed, [place for place, _ in staff.points], prefix)
    day = Day.plan(listed, staff, seed)
    day.idle(orders * RECORDS_AN_ORDER)
    random = Random(f"keys {prefix} {seed}")
    scanners = [
        Scanner(
            organisation,
            now=ENROLLED,
            label=f"Terminal {number}",
            place=staff.place(number) or WAREHOUSE,
            key=PrivateKey.from_number(random.randbytes(31).rjust(32, b"\1")),
        )
        for number in range(staff.count)
    ]
    records = [_sign(step, listed, scanners, days * DAY) for step in day.in_time()]
    truth = dict(zip((order.id for order in listed), day.state, strict=True))
    return ShopDay(listed, _imports(day, random, days * DAY), staff, scanners, records, truth)


def _imports(day: Day, random: Random, later: int) -> list[tuple[int, list[Order]]]:
    """A list every ten minutes, with what is begun within the next hour and a half."""
    first = {step.order: step.time for step in reversed(list(day.in_time()))}
    lists: dict[int, list[Order]] = {}
    for at, order in enumerate(day.orders):
        time = first.get(at, MIDNIGHT + DAY // 4) - random.randrange(600, 5400)
        lists.setdefault(time - time % 600 + later, []).append(order)
    return sorted(lists.items())


def make_orders(count: int, seed: int, points: Sequence[int], prefix: str = "") -> list[Order]:
    """As a shop's list has them: 70 of 100 plain, the others sealed; of each hundred as many enter in one state."""
    random = Random(f"orders {prefix} {seed}")
    hundred = [state for state, share in _ENTRIES for _ in range(share)]
    entries = [hundred[number % 100] for number in range(count)]
    random.shuffle(entries)
    made = []
    for number, state in enumerate(entries):
        sealed = random.random() < _SEALED
        made.append(
            Order(
                id=f"{prefix}{number * 7919 % 100_000_000:08}-{number % 9973:04}-1",
                order_class=OrderClass.SEALED if sealed else OrderClass.PLAIN,
                state=state,
                place=WAREHOUSE if state == State.STAGED else random.choice(points),
                value=random.randrange(300_00, 90_000_00) if sealed else random.randrange(90_00, 9_000_00),
                currency="RUB",
                shop="jeweller" if sealed else "shop",
                cell=f"{random.choice('ABCD')}-{random.randrange(1, 60):02}",
                seals=(f"{prefix}PLS{number:09}",) if sealed and state != State.NEW else (),
                uins=(),
            )
        )
    return made


def _sign(step: Step, orders: Sequence[Order], scanners: Sequence[Scanner], later: int) -> Made:
    scanner = scanners[step.terminal]
    more: dict[int, bytes] = {}
    flags = int(Flag.TIME_TRUSTED)
    code = ""
    if step.token is not None:
        if step.kind == CodeKind.TOKEN:
            step.token.shown = scanners[step.token.of].token
            code = "PLT*" + base45.encode(step.token.shown).decode()
        more[Tlv.PEER_HEAD] = step.token.shown
        flags |= Flag.PEER_HEAD
    if step.seal:
        more[Tlv.SEAL] = step.seal.encode()
    if step.kind == CodeKind.SEAL:
        code = step.seal
    elif step.kind == CodeKind.COMMAND:
        code = _COMMANDS[step.action]
    elif step.kind == CodeKind.CUSTOMER:
        more[Tlv.BEARER] = hashlib.sha256(b"%d %d" % (step.time, step.terminal)).digest()
    elif step.action == Action.SHIFT_OPEN:
        code = f"PLB*BADGE*{1000 + step.terminal}"
    if step.undoes is not None:
        more[Tlv.REF_SEQ] = step.undoes.seq.to_bytes(4, "big")
    event = scanner.record(
        step.action,
        step.verdict,
        "" if step.order is None else orders[step.order].id,
        before=step.before,
        after=step.after,
        kind=CodeKind.BADGE if step.action == Action.SHIFT_OPEN else step.kind,
        code=code,
        flags=flags,
        time=step.time + later,
        actor=1000 + step.terminal,
        more=more,
    )
    step.seq = scanner.seq
    return Made(event, step.time + later, step.terminal, scanner.seq)
