from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.desk import lifecycle
from plomba.desk.lifecycle import Lifecycle, parse
from plomba.desk.steps import (
    ALREADY,
    DONE,
    GATE,
    MOVED,
    NOTHING,
    SEAL,
    TRAINING,
    UNDO,
    WRONG_STATE,
    Identity,
    Scan,
    Standing,
    Step,
)
from plomba.desk.timeline import Timeline, in_order
from plomba.errors import PlombaError
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, OrderClass, State, Verdict

LIFE = lifecycle.load()


OWN = b"S-1"


def scan(action: int, verdict: int, **more: object) -> Scan:
    return Scan(action, verdict, **{"seal": OWN, **more})  # type: ignore[arg-type]


def replay(order_class: int, state: int, scans: list[Scan], life: Lifecycle = LIFE) -> list[Step]:
    """The steps of an order that was imported with the seal OWN."""
    timeline = Timeline(life, order_class, state, [OWN])
    steps = [timeline.take(one, lambda seal: False) for one in scans]
    return [step for step in steps if step is not None]


def one_step(order_class: int, state: int, one: Scan, seals: frozenset[bytes] = frozenset((OWN,))) -> Step:
    """What the desk makes of one record about an order that stands there, proved."""
    standing = Standing(state, "point", seals=seals, proved=True)
    return LIFE.step(order_class, standing, one, lambda seal: False)


STORE = scan(Action.STORE, Verdict.OK)
RETRIEVE = scan(Action.RETRIEVE, Verdict.NEED_SEAL)
CONFIRM = scan(Action.RETRIEVE, Verdict.CONFIRM)
SEAL_OK = scan(Action.SEAL_CHECK, Verdict.SEAL_OK)
HANDOUT = scan(Action.HANDOUT, Verdict.OK)


def test_a_sealed_order_goes_its_way() -> None:
    steps = replay(OrderClass.SEALED, State.AT_POINT, [STORE, RETRIEVE, SEAL_OK, HANDOUT])
    assert [step.after for step in steps] == [State.READY, State.IDENTIFIED, State.VERIFIED, State.DELIVERED]
    assert [step.now.holder for step in steps] == ["point", "point", "point", "customer"]


@pytest.mark.parametrize(
    ("state", "scans"),
    [
        (State.STAGED, [scan(Action.HOLD, Verdict.OK), scan(Action.RELEASE, Verdict.OK, claim=State.STAGED)]),
        (State.ACCEPTED, [scan(Action.MISSING, Verdict.OK), scan(Action.RELEASE, Verdict.OK, claim=State.ACCEPTED)]),
        (State.READY, [CONFIRM, scan(Action.ATTEMPT_FAILED, Verdict.OK), scan(Action.ROUTE_START, Verdict.OK)]),
    ],
)
def test_nothing_but_a_hand_over_passes_an_order_on(state: int, scans: list[Scan]) -> None:
    steps = replay(OrderClass.PLAIN, state, scans)
    assert all(step.moved for step in steps)
    assert {step.now.holder for step in steps} == {LIFE.holder[state]}


def test_a_sealed_order_is_not_handed_out_without_its_seal() -> None:
    step = replay(OrderClass.SEALED, State.AT_POINT, [STORE, RETRIEVE, HANDOUT])[-1]
    assert (step.after, step.why) == (State.IDENTIFIED, GATE)


def test_a_plain_order_is() -> None:
    assert replay(OrderClass.PLAIN, State.AT_POINT, [STORE, CONFIRM, HANDOUT])[-1].after == State.DELIVERED


@pytest.mark.parametrize(
    ("state", "one", "why"),
    [
        (State.IDENTIFIED, scan(Action.SEAL_CHECK, Verdict.SEAL_OK, seal=b"S-2"), SEAL),
        (State.IDENTIFIED, scan(Action.SEAL_CHECK, Verdict.SEAL_READ), SEAL),
        (State.IDENTIFIED, scan(Action.SEAL_CHECK, Verdict.NEED_SEAL), NOTHING),
        (State.IDENTIFIED, scan(Action.SEAL_CHECK, Verdict.WRONG_SEAL), DONE),
        (State.VERIFIED, scan(Action.HANDOUT, Verdict.OK, training=True), TRAINING),
        (State.VERIFIED, scan(Action.HANDOUT, Verdict.NEED_SEAL), NOTHING),
        (State.AT_POINT, HANDOUT, WRONG_STATE),
        (State.DELIVERED, HANDOUT, ALREADY),
        (State.READY, STORE, ALREADY),
        (State.DELIVERED, STORE, WRONG_STATE),
    ],
)
def test_what_moves_nothing_says_why(state: int, one: Scan, why: str) -> None:
    step = one_step(OrderClass.SEALED, state, one)
    assert (step.before, step.after, step.why, step.moved) == (state, state, why, False)


def test_a_claim_is_disputed_only_when_it_differs() -> None:
    def step(claim: int, training: bool = False) -> bool:
        one = scan(Action.HANDOUT, Verdict.OK, claim=claim, training=training)
        return one_step(OrderClass.SEALED, State.IDENTIFIED, one).disputed

    assert step(State.DELIVERED)
    assert not step(State.IDENTIFIED)
    assert not step(State.NONE)
    assert not step(State.DELIVERED, training=True)


SEALS = (OWN, b"S-2")
# What may happen on the counter; `at` and `back` make the records differ. A hand-out is tried most.
VISIT = [
    lambda at, back: HANDOUT,
    lambda at, back: HANDOUT,
    lambda at, back: HANDOUT,
    lambda at, back: RETRIEVE,
    lambda at, back: scan(Action.SEAL_CHECK, Verdict.SEAL_OK, seal=SEALS[at % 2]),
    lambda at, back: scan(Action.SEAL_CHECK, Verdict.SEAL_READ, seal=b"S-3"),
    lambda at, back: scan(Action.OVERRIDE, Verdict.OK),
    lambda at, back: replace(HANDOUT, overridden=True, refers=back),
    lambda at, back: replace(HANDOUT, claim=State.PART_DELIVERED),
    lambda at, back: scan(Action.REFUSE, Verdict.OK, claim=State.VERIFIED, quantity=1),
    lambda at, back: scan(Action.REFUSE, Verdict.OK),
    lambda at, back: scan(Action.SEAL_APPLY, Verdict.OK, seal=SEALS[at % 2]),
    lambda at, back: scan(Action.SEAL_BREAK, Verdict.OK),
    lambda at, back: scan(Action.UNDO, Verdict.OK, refers=back),
]


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(VISIT), st.integers(1, 4)), min_size=6, max_size=16),
    st.sampled_from([(), (OWN,)]),
    st.sampled_from([State.READY, State.AT_STOP]),
)
def test_no_sealed_order_is_delivered_without_a_proof(
    drawn: list[tuple[Callable[..., Scan], int]], seals: tuple[bytes, ...], entered: int
) -> None:
    """Its own seal was read in this visit and is whole, or it has none and one was read, or a decision is named."""
    timeline = Timeline(LIFE, OrderClass.SEALED, entered, seals)
    scans: dict[Identity, Scan] = {}
    visit: list[Scan] = []
    for at, (make, back) in enumerate([(VISIT[3], 1), *drawn], start=1):
        one = replace(make(at, (b"T", 1, max(1, at - back))), identity=(b"T", 1, at))
        before = timeline.standing
        step = timeline.take(one, lambda seal: False)
        scans[one.identity] = one
        assert step is not None
        if one.undoes:
            # It may bring back a visit that had ended.
            visit = list(scans.values())
        elif step.after not in (State.IDENTIFIED, State.VERIFIED) and one.action != Action.HANDOUT:
            visit = []
        visit.append(one)
        if one.action != Action.HANDOUT or not step.moved:
            assert one.undoes or step.after not in (State.DELIVERED, State.PART_DELIVERED) or step.before == step.after
            continue
        if one.overridden:
            assert one.refers is not None and scans[one.refers].action == Action.OVERRIDE
        else:
            own = any(earlier.seal in before.seals for earlier in visit if earlier.verdict == Verdict.SEAL_OK)
            unknown = not before.broken and any(earlier.verdict == Verdict.SEAL_READ for earlier in visit)
            assert own or unknown


BASE = """
holders = ["shop", "customer"]
[state]
NEW = { holder = "shop", entry = true }
DELIVERED = { holder = "customer", end = true }
[[move]]
action = "HANDOUT"
verdicts = ["OK"]
from = ["NEW"]
to = "DELIVERED"
"""


def test_the_least_lifecycle_is_read() -> None:
    least = parse(BASE, "least")
    assert replay(0, State.NEW, [HANDOUT], least)[0].after == State.DELIVERED
    assert (least.entries, least.ends) == ({State.NEW}, {State.DELIVERED})


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"HANDOUT"', '"HANDUOT"', "action HANDUOT"),
        ('["OK"]', '["FINE"]', "verdict FINE"),
        ("NEW = {", "NOVEL = {", "state NOVEL"),
        ('holder = "customer"', 'holder = "nobody"', "state.DELIVERED: holder"),
        (", end = true", ", ended = true", "state.DELIVERED"),
        ('to = "DELIVERED"', 'to = "READY"', "move 1: from, to"),
        ('to = "DELIVERED"', 'to = "NEW"', "move 1: from, to"),
        ("NEW = {", 'READY = { holder = "shop" }\nNEW = {', "state.READY: nothing leads to it"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\ngate = { SEALED = "DELIVERED" }', "move 1: gate"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\ngate = { HEAVY = "NEW" }', "order_class HEAVY"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\nproof = "word"', "move 1"),
        ('from = ["NEW"]', "from = []", "move 1"),
        ('{ holder = "shop", entry = true }', "{ entry = true }", "state.NEW: holder"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\nholder = "nobody"', "move 1: holder"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\ngiven = "time"', "move 1: given"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\nseal = "lick"', "move 1: seal"),
        ('to = "DELIVERED"', 'to = "DELIVERED"\nbag = "over"', "move 1: bag"),
        ('to = "DELIVERED"', 'to = ["DELIVERED", "DELIVERED"]', "move 1: HANDOUT OK moves twice"),
        (
            'to = "DELIVERED"',
            'to = "DELIVERED"\n[[move]]\naction = "HANDOUT"\nverdicts = ["OK"]\nto = "DELIVERED"',
            "move 2: HANDOUT OK moves twice",
        ),
        ('to = "DELIVERED"', 'to = "DELIVERED"\nunless = "rain"', "move 1"),
        ('to = "DELIVERED"', "to = []", "move 1: verdicts, to"),
        ('["OK"]', "[]", "move 1: verdicts, to"),
        ("[[move]]", '[custdoy]\nplain = "giver"\n[[move]]', "custdoy: custody"),
        ("[state]", "[state", "line 3"),
        (
            'to = "DELIVERED"',
            'to = "DELIVERED"\n[[move]]\naction = "HANDOUT"\nverdicts = ["OK"]\nfrom = ["NEW"]\nto = "DELIVERED"',
            "move 2: HANDOUT OK moves twice",
        ),
    ],
)
def test_a_broken_lifecycle_is_refused_with_its_place(old: str, new: str, where: str) -> None:
    assert old in BASE
    with pytest.raises(PlombaError) as caught:
        parse(BASE.replace(old, new, 1), "broken.toml")
    assert caught.value.code == "desk_data_invalid"
    assert where in caught.value.what("en")
    assert "broken.toml" in caught.value.what("en")


def toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(name)} = {toml(each)}' for name, each in value.items())} }}"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value)


def places(value: object) -> Iterator[tuple[str | int, ...]]:
    """Of all that can be replaced in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (name,)
        yield from ((name, *rest) for rest in places(each))


OURS = tomllib.loads(LIFE.content)


@pytest.mark.parametrize("other", [5, True, "x", "READY", [], [5], [[]], {}, {"x": 5}], ids=str)
def test_whatever_stands_there_instead_is_taken_or_refused(other: object) -> None:
    """Another kind of value at every place of the file, one at a time."""
    tried = refused = 0
    for *way, last in places({name: OURS[name][:6] if isinstance(OURS[name], list) else OURS[name] for name in OURS}):
        data = copy.deepcopy(OURS)
        inner: Any = data
        for name in way:
            inner = inner[name]
        inner[last] = other
        tried += 1
        try:
            parse("\n".join(f"{name} = {toml(each)}" for name, each in data.items()), "other.toml")
        except PlombaError as error:
            assert error.code == "desk_data_invalid"
            refused += 1
    assert tried > 250 and refused > tried // 2


@dataclass(frozen=True)
class Placed:
    head: RecordHead


def nothing(record: Placed) -> None:
    """No record names another terminal's."""


def placed(terminal: int, seq: int, time: int) -> Placed:
    fields = dict.fromkeys(RecordHead.FIELDS, 0) | {"terminal": bytes([terminal] * 8), "seq": seq, "t_utc": time}
    return Placed(RecordHead(*(fields[name] for name in RecordHead.FIELDS)))


records = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 20), st.integers(0, 50)), unique_by=lambda r: (r[0], r[1]), max_size=25
)


@given(records, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_depend_on_their_arrival(drawn: list[tuple[int, int, int]], random) -> None:  # type: ignore[no-untyped-def]
    first = [placed(*one) for one in drawn]
    second = list(first)
    random.shuffle(second)
    assert in_order(first, nothing) == in_order(second, nothing)
    for terminal in range(3):
        own = [record.head.seq for record in in_order(second, nothing) if record.head.terminal[0] == terminal]
        assert own == sorted(own)


@given(records, st.randoms(use_true_random=False), st.data())
def test_whatever_records_claim_to_stand_behind(drawn: list[tuple[int, int, int]], random, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    """Rings and lies too: every record comes once, each terminal's in their order, and a true claim holds."""
    made = [placed(*one) for one in drawn]
    names = st.none() | st.tuples(st.integers(0, 2).map(lambda n: bytes([n] * 8)), st.just(0), st.integers(1, 20))
    claims = {record: data.draw(names) for record in made if random.random() < 0.7}
    claims = {record: None if name and name[0] == record.head.terminal else name for record, name in claims.items()}
    merged = in_order(made, claims.get)
    random.shuffle(made)
    assert in_order(made, claims.get) == merged
    assert sorted(map(id, merged)) == sorted(map(id, made))
    for terminal in range(3):
        own = [record.head.seq for record in merged if record.head.terminal[0] == terminal]
        assert own == sorted(own)
    if all(name is None or name[0] < record.head.terminal for record, name in claims.items()):
        for at, record in enumerate(merged):
            name = claims.get(record)
            late = [one.head for one in merged[at:] if name and one.head.terminal == name[0]]
            assert all(name is not None and head.seq > name[2] for head in late)


@pytest.mark.parametrize("skew", [0, -2, -3600])
def test_a_record_counts_after_the_one_it_names_whatever_the_clocks_say(skew: int) -> None:
    take, give, home = placed(0, 1, 100 + skew), placed(1, 7, 100), placed(0, 2, 105 + skew)
    assert in_order([take, home, give], {take: (b"\1" * 8, 0, 9)}.get) == [give, take, home]


def test_two_that_name_each_other_are_merged_by_time() -> None:
    first, second, other = placed(1, 1, 10), placed(0, 1, 20), placed(2, 1, 15)
    claims = {first: (b"\0" * 8, 0, 1), second: (b"\1" * 8, 0, 1)}
    assert in_order([second, other, first], claims.get) == [first, other, second]


def test_terminals_are_merged_by_time() -> None:
    merged = in_order([placed(1, 1, 10), placed(1, 2, 30), placed(0, 1, 20)], nothing)
    assert [(record.head.terminal[0], record.head.seq) for record in merged] == [(1, 1), (0, 1), (1, 2)]


def test_a_clock_set_back_does_not_turn_a_terminals_records_round() -> None:
    merged = in_order([placed(0, 1, 100), placed(0, 2, 0), placed(1, 1, 50)], nothing)
    assert [(record.head.terminal[0], record.head.seq) for record in merged] == [(1, 1), (0, 1), (0, 2)]


def test_an_undo_takes_back_one_step_and_only_while_it_stands() -> None:
    handed = replace(HANDOUT, identity=(b"T", 1, 3))
    undo = replace(scan(Action.UNDO, Verdict.OK), identity=(b"T", 1, 4), refers=(b"T", 1, 3))
    steps = replay(OrderClass.PLAIN, State.AT_POINT, [STORE, CONFIRM, handed, undo, undo])
    assert [step.after for step in steps][2:] == [State.DELIVERED, State.IDENTIFIED, State.IDENTIFIED]
    assert [step.why for step in steps][3:] == [MOVED, UNDO]
    late = replay(OrderClass.PLAIN, State.AT_POINT, [STORE, CONFIRM, handed, undo, CONFIRM, HANDOUT, undo])
    assert late[-1].after == State.DELIVERED, "what was undone once cannot be undone again"


def test_held_and_refused_stay_at_the_point() -> None:
    hold, refuse = scan(Action.HOLD, Verdict.OK), scan(Action.REFUSE, Verdict.OK)
    assert replay(OrderClass.SEALED, State.AT_POINT, [STORE, RETRIEVE, hold])[-1].after == State.HELD
    again = [STORE, RETRIEVE, SEAL_OK, refuse, RETRIEVE, SEAL_OK, HANDOUT]
    assert replay(OrderClass.SEALED, State.AT_POINT, again)[-1].after == State.DELIVERED
