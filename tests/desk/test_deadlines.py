"""Deadlines as the lifecycle has them, when they pass, and what is refused in the file."""

from __future__ import annotations

from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba.desk import lifecycle
from plomba.desk.calendars import Calendar
from plomba.desk.deadlines import MOMENTS, Deadline, Plan, Watch, due, duration
from plomba.desk.lifecycle import parse
from plomba.desk.words import codes, names
from plomba.errors import PlombaError
from plomba.texts import LANGUAGES, say
from plomba_wire.vocabulary import OrderClass, State

LIFE = lifecycle.load()
DAYTIME = Calendar(ZoneInfo("Europe/Moscow"), "Mo-Fr 09:00-21:00")
HOUR = 3600
# Wednesday, 25 November 2026, 20:00 in Moscow: an hour before closing.
EVENING = 1_795_626_000
PLAIN, SEALED = OrderClass.PLAIN, OrderClass.SEALED


def passes(state: int, plan: Plan) -> float:
    """Hours after EVENING."""
    return (due(LIFE.deadlines[state, PLAIN], EVENING, plan, DAYTIME) - EVENING) / HOUR


@pytest.mark.parametrize(
    ("state", "plan", "hours"),
    [
        (State.NEW, Plan(), 14),
        (State.NEED_DATA, Plan(), 24),
        (State.ACCEPTED, Plan(cutoff=EVENING + 6 * HOUR), 2),
        (State.ACCEPTED, Plan(), 20),
        (State.ACCEPTED, Plan(cutoff=EVENING + HOUR), 0),
        (State.PICKED, Plan(), 14),
        (State.PACKED, Plan(cutoff=EVENING + 6 * HOUR), 5),
        (State.STAGED, Plan(cutoff=EVENING + 6 * HOUR), 6),
        (State.HANDING, Plan(), 0.25),
        (State.WITH_COURIER, Plan(), 1),
        (State.WITH_COURIER, Plan(start=EVENING + 9 * HOUR), 9),
        (State.ON_ROUTE, Plan(slot_end=EVENING + 3 * HOUR), 3),
        (State.AT_STOP, Plan(), 0.25),
        (State.AT_POINT, Plan(), 14),
        (State.READY, Plan(), 7 * 24),
        (State.READY, Plan(keep_until=EVENING + 100 * HOUR), 100),
        (State.IDENTIFIED, Plan(), 1 / 6),
        (State.VERIFIED, Plan(), 1 / 6),
        (State.PART_DELIVERED, Plan(), 1),
        (State.REFUSED, Plan(), 1),
        (State.FAILED, Plan(), 1),
        (State.HELD, Plan(), 24),
        (State.RETURNING, Plan(), 72),
        (State.RETURNED, Plan(), 24),
        (State.INSPECTED, Plan(), 24),
    ],
)
def test_the_deadline_of_a_state(state: int, plan: Plan, hours: float) -> None:
    assert passes(state, plan) == pytest.approx(hours)


def test_every_state_but_an_end_has_one_for_each_class() -> None:
    classes = codes("order_class").values()
    assert set(LIFE.deadlines) == set(product(set(LIFE.states) - LIFE.ends, classes))
    assert {names("state")[code] for code in LIFE.ends} == {"DELIVERED", "CALLED_OFF", "REFUNDED", "REJECTED", "LOST"}


def test_a_sealed_order_left_in_a_visit_is_another_incident() -> None:
    kinds = [LIFE.deadlines[State.IDENTIFIED, order_class].incident for order_class in (PLAIN, SEALED)]
    assert kinds == ["VISIT_STUCK", "LEFT_UNSCANNED"]
    differ = {
        state for state in LIFE.states if LIFE.deadlines.get((state, PLAIN)) != LIFE.deadlines.get((state, SEALED))
    }
    assert differ == {State.IDENTIFIED}


def test_records_that_report_something_are_incidents() -> None:
    reported = {(names("action")[action], move.incident) for action, _, move in LIFE.moves() if move.incident}
    assert reported == {
        ("MISSING", "MISSING"),
        ("MISSING", "SHORTAGE"),
        ("DAMAGE", "DAMAGED"),
        ("MISMATCH", "MISMATCH"),
        ("MISMATCH", "WRONG_ITEM"),
        ("SEAL_BREAK", "SEAL_BROKEN"),
        ("SEAL_CHECK", "WRONG_SEAL"),
        ("SEAL_CHECK", "SEAL_FORGED"),
        ("SEAL_CHECK", "SEAL_VOID"),
        ("INSPECT", "NOT_INTACT"),
        ("PACK", "NOT_INTACT"),
        ("STORE", "NOT_INTACT"),
        ("ROUTE_CLOSE", "ROUTE_CLOSED"),
    }


def test_every_kind_of_incident_has_its_words() -> None:
    kinds = {deadline.incident for deadline in LIFE.deadlines.values()}
    kinds |= {move.incident for _, _, move in LIFE.moves()} - {""}
    assert len(kinds) >= 27
    for lang in LANGUAGES:
        said = {say("desk", f"incident_{kind.lower()}", lang) for kind in kinds}
        assert len(said) == len(kinds)


def test_what_the_desk_watches_for() -> None:
    assert LIFE.watch == Watch(silence=86400, clock_error=120, escalate=(3600, 86400))
    assert LIFE.policy == {PLAIN: "dual", SEALED: "dual"}


deadlines = st.builds(
    Deadline,
    st.just("LATE"),
    st.integers(1, 8 * 86400),
    st.booleans(),
    st.sampled_from(["", *MOMENTS]),
    st.integers(0, 86400),
    st.booleans(),
)
moments = st.none() | st.integers(EVENING - 10**6, EVENING + 10**6)
plans = st.builds(Plan, moments, moments, moments, moments)


@given(deadlines, st.integers(EVENING - 10**6, EVENING + 10**6), plans)
def test_no_deadline_has_passed_when_it_begins(deadline: Deadline, entered: int, plan: Plan) -> None:
    moment = due(deadline, entered, plan, DAYTIME)
    assert moment >= entered
    promised = {"": None} | {name: getattr(plan, name) for name in MOMENTS}
    if promised[deadline.before] is not None:
        assert moment == max(entered, promised[deadline.before] - deadline.by)
    elif deadline.closing:
        assert moment > entered and not DAYTIME.is_open(moment) and DAYTIME.is_open(moment - 1)
    elif not deadline.opening:
        assert moment == entered + deadline.within
    else:
        assert moment >= entered + deadline.within and DAYTIME.is_open(moment - 1)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604800)])
def test_a_span_of_time(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "2", "h", "2 h", "02h", "0h", "-1h", "1.5h", "2w", "1000000h", "2h ", "２h", 2, None]
)
def test_no_span_of_time(text: object) -> None:
    with pytest.raises(ValueError, match="90s"):
        duration(text)


BASE = """
holders = ["shop", "customer"]
[watch]
silence = "24h"
clock_error = "2m"
escalate = ["1h", "24h"]
[custody]
plain = "giver"
[state.NEW]
holder = "shop"
entry = true
deadline = { incident = "NOT_ACCEPTED", within = "2h" }
sealed = { incident = "LATE", before = "cutoff", by = "1h", within = "2h", clock = "always" }
[state.CANCELLED]
deadline = { incident = "NOT_RETURNED", until = "closing" }
[state.DELIVERED]
holder = "customer"
end = true
[[decision]]
name = "CANCEL"
from = ["NEW"]
to = "CANCELLED"
record = "HANDOUT"
[[move]]
action = "HANDOUT"
verdicts = ["OK"]
from = ["NEW"]
to = "DELIVERED"
incident = "LATE"
"""


AGAIN = '[[decision]]\nname = "CANCEL"\nto = "DELIVERED"\nrecord = "HANDOUT"\n'
"""Another way of the same decision, as far as where it begins."""


def test_what_the_file_says_is_read() -> None:
    read = parse(BASE, "least")
    assert read.deadlines == {
        (State.NEW, PLAIN): Deadline("NOT_ACCEPTED", 7200, True),
        (State.NEW, SEALED): Deadline("LATE", 7200, False, "cutoff", 3600),
        (State.CANCELLED, PLAIN): Deadline("NOT_RETURNED", 0, True, closing=True),
        (State.CANCELLED, SEALED): Deadline("NOT_RETURNED", 0, True, closing=True),
    }
    assert read.policy == {PLAIN: "giver", SEALED: "dual"}
    assert [move.incident for _, _, move in read.moves()] == ["LATE"]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"NOT_ACCEPTED"', '"not accepted"', "state.NEW.deadline: incident"),
        ('incident = "NOT_ACCEPTED", ', "", "state.NEW.deadline: incident"),
        ('within = "2h" }\nsealed', 'within = "2" }\nsealed', "state.NEW.deadline: 2:"),
        ('within = "2h" }\nsealed', 'whithin = "2h" }\nsealed', "state.NEW.deadline: deadline"),
        ('{ incident = "NOT_ACCEPTED", within = "2h" }', '"2h"', "state.NEW.deadline: deadline"),
        ('"cutoff"', '"christmas"', "state.NEW.sealed: before"),
        ('before = "cutoff", ', "", "state.NEW.sealed: before"),
        ('by = "1h"', 'by = "soon"', "state.NEW.sealed: soon"),
        ('"always"', '"never"', "state.NEW.sealed: clock"),
        ('until = "closing"', 'until = "noon"', "state.CANCELLED.deadline: within, until"),
        ('until = "closing"', 'until = "closing", within = "2h"', "state.CANCELLED.deadline: within, until"),
        ('until = "closing"', 'until = "closing", clock = "always"', "state.CANCELLED.deadline: clock"),
        (', until = "closing"', "", "state.CANCELLED.deadline: within, until"),
        ("end = true", 'end = true\ndeadline = { incident = "LATE", within = "2h" }', "deadline of an end"),
        ("end = true", 'end = true\nsealed = { incident = "LATE", within = "2h" }', "deadline of an end"),
        ('silence = "24h"', 'silence = "0h"', "watch: 0h"),
        ('silence = "24h"', 'silense = "24h"', "watch: silence"),
        ('["1h", "24h"]', '["24h", "1h"]', "watch: escalate"),
        ('["1h", "24h"]', '["1h", "60m"]', "watch: escalate"),
        ('["1h", "24h"]', '"1h"', "watch: silence, clock_error, escalate"),
        (BASE[: BASE.index("[custody]")], 'holders = ["shop", "customer"]\nwatch = 3\n', "watch: silence"),
        ('[custody]\nplain = "giver"', "", None),
        ('"giver"', '"taker"', "custody"),
        ('"giver"', "[]", "custody"),
        ('plain = "giver"', 'heavy = "giver"', "custody"),
        ('incident = "LATE"\n', "incident = 3\n", "move 1: incident"),
        ('incident = "LATE"\n', 'incident = "Late"\n', "move 1: incident"),
        ('name = "CANCEL"', "name = 7", "decision 1: name"),
        ('name = "CANCEL"', 'name = "A | B"', "decision 1: name"),
        ('["shop", "customer"]', '["shop", "customer", "<br/>"]', "holders"),
        ('["shop", "customer"]', '["shop", "customer", 3]', "holders"),
        ('name = "CANCEL"', 'nome = "CANCEL"', "decision 1"),
        ('name = "CANCEL"\nfrom = ["NEW"]', 'name = "CANCEL"\nfrom = []', "decision 1"),
        ('name = "CANCEL"\nfrom = ["NEW"]', 'name = "CANCEL"\nfrom = ["DELIVERED"]', "decision 1: from, to"),
        ('to = "CANCELLED"', 'to = "NEW"', "decision 1: from, to"),
        ('record = "HANDOUT"', 'record = "HANDUOT"', "decision 1: action HANDUOT"),
        (
            "[[move]]",
            '[[decision]]\nname = "CANCEL"\nfrom = ["CANCELLED"]\nto = "DELIVERED"\n[[move]]',
            "decision 2: CANCEL",
        ),
        ("[[move]]", f'{AGAIN}from = ["NEW"]\n[[move]]', "decision 2: CANCEL is there already"),
        ("[[move]]", f'{AGAIN}from = ["CANCELLED"]\nheld = ["NEW"]\n[[move]]', "decision 2: held"),
        ("[[move]]", f'{AGAIN}from = ["CANCELLED"]\nheld = "everywhere"\n[[move]]', "decision 2: held"),
        ("[[decision]]", "[[ruling]]", "ruling: custody, decision"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(old: str, new: str, where: str | None) -> None:
    assert old in BASE
    text = BASE.replace(old, new, 1)
    if where is None:
        assert parse(text, "sound").policy == {PLAIN: "dual", SEALED: "dual"}
        return
    with pytest.raises(PlombaError) as caught:
        parse(text, "broken.toml")
    assert caught.value.code == "desk_data_invalid"
    assert caught.value.fields["where"].startswith(where)
