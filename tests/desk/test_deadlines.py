"""When an order's time is over, and what a file may not say about it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba.desk.calendars import Calendars
from plomba.desk.deadlines import MOMENTS, Deadline, Plan, Watch, due, duration, read_deadline, read_watch
from plomba.desk.lifecycle import load, parse
from plomba.errors import PlombaError

ENTERED = int(datetime(2026, 10, 1, 9, tzinfo=UTC).timestamp())
HOUR = 3600


class Shop:
    """Open for one second in three, and it closes at the next full hour: nothing that a plain clock would give."""

    def later(self, moment: int, open_seconds: int) -> int:
        return moment + 3 * open_seconds

    def closing(self, moment: int) -> int:
        return (moment // HOUR + 1) * HOUR


SHOP = Shop()
NOTHING = Plan()


@pytest.mark.parametrize(
    ("entry", "passes"),
    [
        ({"within": "2h"}, ENTERED + 6 * HOUR),
        ({"within": "2h", "clock": "opening"}, ENTERED + 6 * HOUR),
        ({"within": "2h", "clock": "always"}, ENTERED + 2 * HOUR),
        ({"until": "closing"}, ENTERED + HOUR),
        ({"until": "closing", "before": "cutoff"}, ENTERED + HOUR),
        ({"within": "90s", "before": "slot_end"}, ENTERED + 270),
    ],
)
def test_without_a_promise_it_is_time_of_the_place_or_of_every_clock(entry: dict[str, str], passes: int) -> None:
    assert due(read_deadline({"incident": "LATE", **entry}), ENTERED, NOTHING, SHOP) == passes


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("rest", [{"within": "2h"}, {"within": "2h", "clock": "always"}, {"until": "closing"}])
def test_a_promise_counts_before_all_else(moment: str, rest: dict[str, str]) -> None:
    promised = Plan(**{moment: ENTERED + 9 * HOUR})
    entry = {"incident": "LATE", "before": moment, **rest}
    assert due(read_deadline(entry), ENTERED, promised, SHOP) == ENTERED + 9 * HOUR
    assert due(read_deadline({**entry, "by": "4h"}), ENTERED, promised, SHOP) == ENTERED + 5 * HOUR
    for other in set(MOMENTS) - {moment}:
        unkept = due(read_deadline({**entry, "before": other}), ENTERED, promised, SHOP)
        assert unkept == due(read_deadline({"incident": "LATE", **rest}), ENTERED, NOTHING, SHOP)


def test_a_promise_of_the_first_second_of_all_is_one() -> None:
    deadline = read_deadline({"incident": "LATE", "before": "cutoff", "within": "2h"})
    assert due(deadline, -HOUR, Plan(cutoff=0), SHOP) == 0


@given(cutoff=st.integers(-10 * HOUR, 10 * HOUR), by=st.integers(1, 9))
def test_no_deadline_passes_before_the_order_came(cutoff: int, by: int) -> None:
    deadline = read_deadline({"incident": "LATE", "before": "cutoff", "by": f"{by}h", "within": "1h"})
    assert due(deadline, ENTERED, Plan(cutoff=ENTERED + cutoff), SHOP) == ENTERED + max(cutoff - by * HOUR, 0)


@given(st.integers(0, 400 * 24))
def test_every_deadline_of_ours_passes_at_a_place_that_is_open(hours: int) -> None:
    """None of them before the order came."""
    place = Calendars.load(None).of(17)
    for deadline in load().deadlines.values():
        assert due(deadline, ENTERED + hours * HOUR, NOTHING, place) > ENTERED + hours * HOUR


def test_the_moments_are_those_of_a_plan() -> None:
    assert tuple(field.name for field in fields(Plan)) == MOMENTS


@given(st.integers(1, 999999), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_durations(count: int, unit: tuple[str, int]) -> None:
    assert duration(f"{count}{unit[0]}") == count * unit[1]


BAD_DURATIONS = (
    "",
    "0s",
    "00m",
    "15",
    "15 m",
    "15M",
    "1h30m",
    "-1h",
    "+1h",
    "1.5h",
    "1000000s",
    "1h\n",
    "١h",
    15,
    None,
    True,
    ["1h"],
)


@pytest.mark.parametrize("text", BAD_DURATIONS)
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="90s, 15m, 2h, 7d"):
        duration(text)


def test_a_deadline_as_it_is_written() -> None:
    entry = {"incident": "NOT_PICKED", "before": "cutoff", "by": "4h", "within": "8h"}
    assert read_deadline(entry) == Deadline("NOT_PICKED", 8 * HOUR, True, "cutoff", 4 * HOUR, False)
    assert read_deadline({"incident": "REST", "until": "closing"}) == Deadline("REST", 0, True, "", 0, True)


BAD_DEADLINES = (
    (5, "deadline"),
    ("2h", "deadline"),
    ({"incident": "LATE", "within": "2h", "after": "2h"}, "deadline"),
    ({"within": "2h"}, "incident"),
    ({"incident": "", "within": "2h"}, "incident"),
    ({"incident": "late", "within": "2h"}, "incident"),
    ({"incident": "LATE; DROP", "within": "2h"}, "incident"),
    ({"incident": "LATE\n", "within": "2h"}, "incident"),
    ({"incident": "L" * 40, "within": "2h"}, "incident"),
    ({"incident": ["LATE"], "within": "2h"}, "incident"),
    ({"incident": "LATE", "within": "2h", "before": "noon"}, "before"),
    ({"incident": "LATE", "within": "2h", "before": ["cutoff"]}, "before"),
    ({"incident": "LATE", "within": "2h", "by": "1h"}, "before"),
    ({"incident": "LATE"}, "within, until"),
    ({"incident": "LATE", "before": "cutoff"}, "within, until"),
    ({"incident": "LATE", "within": "2h", "until": "closing"}, "within, until"),
    ({"incident": "LATE", "until": "noon"}, "within, until"),
    ({"incident": "LATE", "until": {}}, "within, until"),
    ({"incident": "LATE", "until": ""}, "within, until"),
    ({"incident": "LATE", "within": "2h", "until": False}, "within, until"),
    ({"incident": "LATE", "within": "2h", "clock": "sun"}, "clock"),
    ({"incident": "LATE", "within": "2h", "clock": ["always"]}, "clock"),
    ({"incident": "LATE", "until": "closing", "clock": "always"}, "clock"),
    ({"incident": "LATE", "within": "soon"}, "soon"),
    ({"incident": "LATE", "within": 7200}, "7200"),
    ({"incident": "LATE", "within": "2h", "before": "cutoff", "by": "0h"}, "0h"),
)


@pytest.mark.parametrize(("entry", "named"), BAD_DEADLINES)
def test_what_is_wrong_with_a_deadline_is_named(entry: object, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        read_deadline(entry)


def test_the_watch() -> None:
    assert read_watch({}) == Watch(24 * HOUR, 120, ())
    entry = {"silence": "12h", "clock_error": "30s", "escalate": ["1h", "1d"]}
    assert read_watch(entry) == Watch(12 * HOUR, 30, (HOUR, 24 * HOUR))


BAD_WATCHES = (
    ({"silent": "24h"}, "silence, clock_error, escalate"),
    ({"escalate": "1h"}, "silence, clock_error, escalate"),
    ({"escalate": ["24h", "1h"]}, "escalate"),
    ({"escalate": ["1h", "60m"]}, "escalate"),
    ({"escalate": [5]}, "5"),
    ({"silence": "forever"}, "forever"),
    ({"clock_error": 120}, "120"),
    (5, "silence, clock_error, escalate"),
)


@pytest.mark.parametrize(("entry", "named"), BAD_WATCHES)
def test_what_is_wrong_with_the_watch_is_named(entry: object, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        read_watch(entry)


LIFE = load().content


@pytest.mark.parametrize(
    ("former", "written", "where"),
    [
        ('incident = "NOT_ACCEPTED", within = "2h"', 'incident = "NOT_ACCEPTED"', "state.NEW.deadline: within, until"),
        (
            'sealed = { incident = "LEFT_UNSCANNED", within = "10m"',
            'sealed = { incident = "LEFT_UNSCANNED", within = "10"',
            "state.IDENTIFIED.sealed: 10",
        ),
        ('silence = "24h"', 'silence = "1w"', "watch: 1w"),
        ("[watch]", "watch = 5\n[unwatched]", "watch"),
        ("[state.LOST]", '[state.LOST]\ndeadline = { incident = "LATE", within = "2h" }', "deadline of an end"),
    ],
)
def test_a_lifecycle_names_the_place(former: str, written: str, where: str) -> None:
    assert former in LIFE
    with pytest.raises(PlombaError) as caught:
        parse(LIFE.replace(former, written), "own.toml")
    assert caught.value.code == "desk_data_invalid"
    assert where in caught.value.what()
