"""Opening hours against an oracle that asks the library minute by minute, by the clock on the wall."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opening_hours import OpeningHours

from plomba.desk.calendars import Calendar, Calendars
from plomba.errors import UsageError

ZONES = (
    "UTC",
    "Europe/Moscow",
    "Europe/Kyiv",
    "Asia/Kolkata",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
)
HOURS = (
    "24/7",
    "Mo-Fr 09:00-21:00; Sa,Su 10:00-18:00; 2026 Dec 31 09:00-15:00; 2027 Jan 01 off",
    "Mo-Fr 09:00-13:00,14:00-18:00",
    "Mo-Fr 22:00-06:00",
    "Mo-Su 00:00-24:00; Su 02:30-02:40",
    "Sa 20:00-24:00; Su 00:30-02:15,02:45-03:30",
    "Mo 00:00-24:00; Tu 00:00-24:00; We 00:00-02:30; Fr 12:00-26:30",
    "Jun 05-07 12:00-13:00",
    "2026 Mar 01-2026 Jun 30 10:00-12:00",
    "Sa 08:00-32:00",
)
CALENDARS = {(zone, hours): Calendar(ZoneInfo(zone), hours) for zone in ZONES for hours in HOURS}
CHUNK = 32 * 86400


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


class Wall:
    """The oracle: open in a minute when the library says so of what the clock on the wall shows then."""

    def __init__(self, zone: str, hours: str) -> None:
        self.zone = ZoneInfo(zone)
        self.hours = OpeningHours(hours)

    def is_open(self, moment: int) -> bool:
        return self.hours.is_open(self.shows(moment))

    def shows(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None, fold=0)

    def later(self, moment: int, left: int, limit: int) -> int | None:
        """None where it is behind `limit`."""
        while moment < limit:
            until = moment - moment % 60 + 60
            if self.is_open(moment):
                if left <= until - moment:
                    return moment + left
                left -= until - moment
            moment = until
        return None

    def opening(self, moment: int, reach: int) -> tuple[int, int]:
        """The one that holds the moment, as far as it is known to be longer than `reach`."""
        start = moment - moment % 60
        end = start + 60
        while end - start <= reach and self.is_open(end):
            end += 60
        while end - start <= reach and self.is_open(start - 60):
            start -= 60
        return start, end


CHANGES = [
    at(text)
    for text in (
        "2026-03-29T01:00+00:00",
        "2026-10-25T01:00+00:00",
        "2026-03-08T07:00+00:00",
        "2026-11-01T06:00+00:00",
        "2026-04-04T15:00+00:00",
        "2026-10-03T15:30+00:00",
        "2026-03-08T05:00+00:00",
        "2027-01-01T00:00+00:00",
    )
]
EDGES = [number * CHUNK for number in range(at("2026-02-01T00:00Z") // CHUNK, at("2027-02-01T00:00Z") // CHUNK)]
moments = st.one_of(
    st.builds(int.__add__, st.sampled_from(CHANGES + EDGES), st.integers(-100_000, 100_000)),
    st.integers(at("2026-01-01T00:00+00:00"), at("2027-12-31T00:00+00:00")),
)
calendars = st.sampled_from(sorted(CALENDARS))
spans = st.one_of(st.integers(0, 20_000), st.integers(0, 100_000), st.sampled_from([0, 1, 60, 600, 3600, 7200]))


@given(calendars, moments)
def test_it_is_open_when_the_clock_on_the_wall_says_so(which: tuple[str, str], moment: int) -> None:
    assert CALENDARS[which].is_open(moment) is Wall(*which).is_open(moment)


@given(calendars, moments, spans)
@example(("Europe/Kyiv", HOURS[4]), CHANGES[0] - 3600, 7200)
@example(("Australia/Lord_Howe", HOURS[5]), CHANGES[5] - 3600, 7200)
def test_a_deadline_is_so_many_open_seconds_later(which: tuple[str, str], moment: int, left: int) -> None:
    calendar, wall = CALENDARS[which], Wall(*which)
    limit = moment + 8 * 86400
    due = calendar.later(moment, left)
    expected = wall.later(moment, left, limit)
    if left and expected is not None:
        assert due == expected
    elif expected is not None:
        assert due == expected and calendar.is_open(due)
    else:
        assert due >= limit or not any(wall.is_open(second) for second in range(due, limit, 3600))


@given(calendars, moments)
def test_it_closes_when_the_opening_ends_or_the_day(which: tuple[str, str], moment: int) -> None:
    calendar, wall = CALENDARS[which], Wall(*which)
    begins = wall.later(moment, 0, moment + 8 * 86400)
    if begins is None:
        return
    start, end = wall.opening(begins, 2 * 86400)
    if wall.shows(end) - wall.shows(start) <= timedelta(days=1):
        assert calendar.closing(moment) == end
        return
    closing = calendar.closing(moment)
    local = [datetime.fromtimestamp(second, wall.zone) for second in (begins, closing - 1, closing)]
    assert all(wall.is_open(second) for second in range(begins, closing, 60))
    assert local[0].date() == local[1].date()
    assert not wall.is_open(closing) or local[2].date() > local[1].date()


@given(calendars, st.lists(moments, min_size=2, max_size=5), spans)
def test_who_comes_later_has_no_earlier_deadline(which: tuple[str, str], drawn: list[int], left: int) -> None:
    calendar = CALENDARS[which]
    drawn.sort()
    for earlier, later in pairwise(drawn):
        assert calendar.later(earlier, left) <= calendar.later(later, left)
        assert earlier + left <= calendar.later(earlier, left)
        assert earlier < calendar.closing(earlier) <= calendar.closing(later)


@given(calendars, moments, spans, spans)
def test_two_spans_are_one(which: tuple[str, str], moment: int, first: int, second: int) -> None:
    calendar = CALENDARS[which]
    if first and second:
        assert calendar.later(calendar.later(moment, first), second) == calendar.later(moment, first + second)


@pytest.mark.parametrize("edge", EDGES)
def test_a_long_opening_is_long_wherever_hours_are_worked_out_apart(edge: int) -> None:
    before, day, after = (datetime.fromtimestamp(edge + days * 86400, UTC).date() for days in (-1, 0, 1))
    hours = f"{before} 07:00-24:00; {day} 00:00-24:00; {after} 00:00-01:30"
    long = Calendar(ZoneInfo("Europe/Moscow"), hours)
    midnight = edge + 21 * 3600
    assert [long.closing(edge + hour * 3600) for hour in (-4, 1, 20)] == [midnight - 86400, midnight, midnight]
    assert long.closing(midnight) == midnight + 5400


def test_a_day_and_night_shift_ends_in_the_morning_whatever_the_clocks_do() -> None:
    shift = Calendar(ZoneInfo("Europe/Kyiv"), "Sa 08:00-32:00")
    assert shift.closing(at("2026-10-24T10:00+03:00")) == at("2026-10-25T08:00+02:00")
    assert shift.closing(at("2026-03-28T10:00+02:00")) == at("2026-03-29T08:00+03:00")
    longer = Calendar(ZoneInfo("Europe/Kyiv"), "Sa 08:00-32:30")
    assert longer.closing(at("2026-03-28T10:00+02:00")) == at("2026-03-29T00:00+02:00")


def test_over_the_jump_of_the_clocks_two_hours_are_two_hours() -> None:
    night = Calendar(ZoneInfo("Europe/Kyiv"), "Sa 20:00-24:00; Su 00:00-08:00")
    entered = at("2026-03-29T02:00+02:00")
    assert night.later(entered, 7200) == entered + 7200 == at("2026-03-29T05:00+03:00")
    assert night.closing(entered) == at("2026-03-29T08:00+03:00")


def test_hours_that_the_jump_leaves_out_begin_after_it() -> None:
    early = Calendar(ZoneInfo("Europe/Kyiv"), "Su 03:30-10:00")
    assert early.later(at("2026-03-28T12:00+02:00"), 0) == at("2026-03-29T04:00+03:00")


def test_of_the_hour_that_comes_twice_both_are_open() -> None:
    night = Calendar(ZoneInfo("Europe/Kyiv"), "Su 03:00-04:00")
    assert night.later(at("2026-10-25T03:00+03:00"), 7200) == at("2026-10-25T04:00+02:00")


def test_a_place_that_is_closed_for_good_puts_nothing_off_for_ever() -> None:
    gone = Calendar(ZoneInfo("UTC"), "2026 Jun 01-2026 Jun 30 10:00-12:00")
    last = at("2026-06-30T12:00+00:00")
    assert gone.later(last - 60, 3600) == last + 3540
    assert gone.later(last + 5_000_000, 3600) == last + 5_003_600
    assert gone.later(0xFFFFFFFF, 3600) == 0xFFFFFFFF + 3600
    assert gone.closing(0xFFFFFFFF) > 0xFFFFFFFF
    assert gone.openings(last - 90_000, 9) == [(last - 90_000, last - 86_400), (last - 7200, last)]
    assert not gone.is_open(last + 60)


def test_a_day_once_in_four_years_is_waited_for_no_longer_than_two() -> None:
    leap = Calendar(ZoneInfo("UTC"), "Feb 29 10:00-12:00")
    assert leap.later(at("2027-06-01T00:00+00:00"), 3600) == at("2028-02-29T11:00+00:00")
    assert leap.later(at("2024-03-01T00:00+00:00"), 3600) == at("2024-03-01T01:00+00:00")


def test_dates_may_be_written_as_iso_8601() -> None:
    own, osm = (Calendar(ZoneInfo("UTC"), f"Mo-Su 09:00-21:00; {date} off") for date in ("2027-01-01", "2027 Jan 01"))
    for hour in range(at("2026-12-30T00:00+00:00"), at("2027-01-03T00:00+00:00"), 3600):
        assert own.is_open(hour) is osm.is_open(hour)
    assert not own.is_open(at("2027-01-01T12:00+00:00"))


FILE = """
zone = "Europe/Moscow"
hours = "Mo-Su 09:00-21:00"
[place.17]
hours = "Mo-Su 10:00-22:00"
[place.18]
zone = "Asia/Yekaterinburg"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "calendar.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_place_takes_what_it_does_not_say_from_the_default(tmp_path: Path) -> None:
    read = Calendars.load(written(tmp_path, FILE))
    midnight = at("2026-11-25T00:00+03:00")
    opens = [(read.of(place).later(midnight, 0) - midnight) / 3600 for place in (16, 17, 18)]
    assert opens == [9, 10, 7]
    assert read.own() == [17, 18]


def test_without_a_file_every_place_is_always_open() -> None:
    calendar = Calendars.load(None).of(17)
    moment = at("2026-11-25T22:00+00:00")
    assert calendar.is_open(moment)
    assert calendar.later(moment, 90_000) == moment + 90_000
    assert calendar.closing(moment) == moment + 7200


WRONG = [
    ('"Mo-Su 10:00-22:00"', '"Mo-Su 10:00-99:00"', "place.17", "99:00"),
    ('"Mo-Su 10:00-22:00"', '""', "place.17", ""),
    ('"Mo-Su 10:00-22:00"', "7", "place.17", "int"),
    ('"Mo-Su 10:00-22:00"', '"24/7 off"', "place.17", "never open"),
    ('"Mo-Su 10:00-22:00"', '"2020 10:00-12:00"', "place.17", "never open"),
    ('"Mo-Su 10:00-22:00"', '"PH off; 10:00-22:00"', "place.17", "PH"),
    ('"Mo-Su 10:00-22:00"', '"sunrise-22:00"', "place.17", "sunrise"),
    ('"Mo-Su 10:00-22:00"', '"Mo-Su 10:00-22:00; 2026-02-30 off"', "place.17", "Feb 30"),
    ('"Asia/Yekaterinburg"', '"Asia/Nowhere"', "place.18", "Asia/Nowhere"),
    ('"Asia/Yekaterinburg"', '"../passwd"', "place.18", "../passwd"),
    ('"Asia/Yekaterinburg"', '"Asia"', "place.18", "Asia"),
    ('"Asia/Yekaterinburg"', "5", "place.18", "int"),
    ('"Europe/Moscow"', '"Europe/Atlantis"', "default", "Europe/Atlantis"),
    ("[place.18]\nzone", "[place.18]\nzones", "place.18", "zones"),
    ("[place.18]", "[place.018]", "place.018", "0…4294967295"),
    ("[place.18]", "[place.4294967296]", "place.4294967296", "0…4294967295"),
    ("[place.18]", "[place.x]", "place.x", "0…4294967295"),
    (FILE, "place = 3", "place", "[place.N]"),
    (FILE, "place = { 3 = 3 }", "place.3", "[place.3]"),
    ("[place.18]", "[place.18", "-", "line"),
]


@pytest.mark.parametrize(("old", "new", "where", "reason"), WRONG)
def test_a_bad_file_is_refused_with_place_and_reason(
    tmp_path: Path, old: str, new: str, where: str, reason: str
) -> None:
    assert old in FILE
    path = written(tmp_path, FILE.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        Calendars.load(path)
    assert caught.value.code == "calendar_invalid"
    assert caught.value.fields["where"] == where
    assert reason in caught.value.fields["reason"]
    assert path.name in caught.value.what("ru")
    assert len(Calendars.read(path)[1]) == 1


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = FILE.replace("Asia/Yekaterinburg", "Asia/Nowhere").replace("10:00-22:00", "10:00-99:00") + "[place.x]\n"
    _, mistakes = Calendars.read(written(tmp_path, text))
    assert [mistake.fields["where"] for mistake in mistakes] == ["place.17", "place.18", "place.x"]


def test_a_file_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    with pytest.raises(UsageError) as caught:
        Calendars.load(path)
    assert caught.value.code == "file_missing"
    path.write_bytes(b'hours = "\xd0"')
    with pytest.raises(UsageError) as caught:
        Calendars.load(path)
    assert caught.value.code == "calendar_invalid"


def test_it_costs_little_once_it_is_worked_out() -> None:
    calendar = Calendar(ZoneInfo("Europe/Moscow"), HOURS[1])
    first = at("2026-06-01T00:00+00:00")
    asked = range(first, first + 60 * 86400, 997)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for moment in asked:
            calendar.later(moment, 7200)
        best = min(best, (time.perf_counter() - began) / len(asked))
    assert best < 30e-6, "some 1 µs on a desk's machine; working hours out anew takes a hundred times as long"


def test_today_is_known_to_the_check_at_loading() -> None:
    """A place that only ever opened before is not taken."""
    year = datetime.now(UTC).year
    assert Calendar(ZoneInfo("UTC"), f"{year + 1} 10:00-12:00").opens()
    assert not Calendar(ZoneInfo("UTC"), f"{year - 1} 10:00-12:00").opens()
