"""A place's opening hours against its wall clock, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours

from plomba.desk.calendars import Calendar, Calendars
from plomba.errors import PlombaError, UsageError

MINUTE, DAY = 60, 86400
FAR = 21 * DAY
ZONES = ("Europe/Kyiv", "America/New_York", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana")
CHANGES = (
    "2026-03-29T01:00",  # Europe/Kyiv, spring: 03:00 is 04:00
    "2026-10-25T01:00",  # Europe/Kyiv, autumn: 04:00 is 03:00
    "2026-03-08T07:00",  # America/New_York: 02:00 is 03:00
    "2026-11-01T06:00",  # America/New_York: 02:00 is 01:00
    "2026-04-04T15:00",  # Australia/Lord_Howe: half an hour
    "2026-10-03T15:30",
    "2026-03-08T05:00",  # America/Havana: there is no midnight
    "2026-11-01T05:00",  # America/Havana: midnight comes twice
)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def there(text: str, zone: str, fold: int = 0) -> int:
    """A moment by the wall clock there; `fold` 1: when it shows that for the second time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


class Wall:
    """The slow truth: what the library says of each minute that the wall clock shows."""

    def __init__(self, zone: str, hours: str) -> None:
        self._zone = ZoneInfo(zone)
        self._hours = OpeningHours(hours)

    def shows(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None, fold=0)

    def is_open(self, moment: int) -> bool:
        return self._hours.is_open(self.shows(moment))

    def opens(self, moment: int) -> int | None:
        """The first open minute from there on; None when that is too far to look for."""
        return next((at for at in range(moment, moment + FAR, MINUTE) if self.is_open(at)), None)

    def later(self, moment: int, minutes: int) -> int | None:
        at = self.opens(moment)
        while at is not None and minutes:
            minutes -= self.is_open(at)
            at = at + MINUTE if at < moment + FAR else None
        return at

    def closing(self, moment: int) -> int | None:
        opened = self.opens(moment)
        if opened is None:
            return None
        closes = next((at for at in range(opened, opened + 3 * DAY, MINUTE) if not self.is_open(at)), opened + 3 * DAY)
        began = next(
            (at + MINUTE for at in range(opened, opened - 3 * DAY, -MINUTE) if not self.is_open(at)), opened - 3 * DAY
        )
        if self.shows(closes) - self.shows(began) <= timedelta(days=1):
            return closes
        today = self.shows(opened).date()
        midnight = next(at for at in range(opened, opened + 3 * DAY, MINUTE) if self.shows(at).date() != today)
        return min(closes, midnight)


@st.composite
def _spans(draw: st.DrawFn) -> str:
    """One rule; it may run into the next day, and past the day after."""
    days = draw(st.sampled_from(["", "Mo-Fr ", "Sa,Su ", "Su ", "Fr-Mo ", "Mo[1] ", "Mar-Apr ", "Oct 24-Nov 02 "]))
    begin = draw(st.integers(0, 47)) * 30
    end = min(begin + draw(st.integers(1, 80)) * 30, 48 * 60)
    return f"{days}{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


@st.composite
def _written(draw: st.DrawFn) -> str:
    spans = ", ".join(draw(st.lists(_spans(), min_size=1, max_size=3)))
    return spans + draw(
        st.sampled_from(["", "; Mar 29 off", "; Oct 25,Nov 01 off", "; Su off", '; Dec 25-Jan 02 off "feast"'])
    )


HOURS = st.sampled_from(["24/7", "Mo-Fr 08:00-18:00", "22:00-06:00", "Sa 08:00-32:00"]) | _written()
MOMENTS = st.one_of(
    st.builds(
        lambda change, minutes: utc(change) + minutes * MINUTE, st.sampled_from(CHANGES), st.integers(-2 * 1440, 1440)
    ),
    st.integers(utc("2026-01-01T00:00") // MINUTE, utc("2027-01-01T00:00") // MINUTE).map(
        lambda minute: minute * MINUTE
    ),
    # Around the seams of what is worked out at once.
    st.builds(
        lambda chunk, minutes: chunk * 32 * DAY + minutes * MINUTE, st.integers(640, 651), st.integers(-1440, 1440)
    ),
)
TRIES = settings(max_examples=60, deadline=None)


@TRIES
@given(zone=st.sampled_from(ZONES), hours=HOURS, moment=MOMENTS)
@example(zone="America/New_York", hours="02:30-20:00", moment=there("2026-03-08T00:00", "America/New_York"))
@example(zone="America/New_York", hours="20:00-25:30", moment=there("2026-10-31T23:00", "America/New_York"))
def test_it_is_open_while_the_wall_clock_says_so(zone: str, hours: str, moment: int) -> None:
    calendar, wall = Calendar(ZoneInfo(zone), hours), Wall(zone, hours)
    for at in range(moment - DAY, moment + DAY, 5 * MINUTE):
        assert calendar.is_open(at) == wall.is_open(at), wall.shows(at)
        assert calendar.is_open(at - 1) == wall.is_open(at - 1), wall.shows(at - 1)


@TRIES
@given(zone=st.sampled_from(ZONES), hours=HOURS, moment=MOMENTS, minutes=st.integers(0, 1500))
def test_a_deadline_runs_while_it_is_open(zone: str, hours: str, moment: int, minutes: int) -> None:
    due = Wall(zone, hours).later(moment, minutes)
    assume(due is not None)
    assert Calendar(ZoneInfo(zone), hours).later(moment, minutes * MINUTE) == due


@TRIES
@given(zone=st.sampled_from(ZONES), hours=HOURS, moment=MOMENTS)
@example(zone="UTC", hours="08:00-18:00", moment=utc("2026-10-01T18:00"))
@example(zone="America/New_York", hours="24/7", moment=(641 * 32 * DAY) - MINUTE)
@example(zone="Europe/Kyiv", hours="Sa 08:00-32:00", moment=there("2026-10-24T10:00", "Europe/Kyiv"))
@example(
    zone="America/New_York",
    hours="Mo 20:00-42:00, We 00:00-24:00",
    moment=there("2026-04-07T20:30", "America/New_York"),
)
def test_a_day_closes_when_the_place_does(zone: str, hours: str, moment: int) -> None:
    closes = Wall(zone, hours).closing(moment)
    assume(closes is not None)
    assert Calendar(ZoneInfo(zone), hours).closing(moment) == closes


def test_an_opening_that_runs_over_a_seam_is_as_long_as_it_is() -> None:
    """New York's evening: the seam of two stretches that are worked out apart is midnight in UTC."""
    seam = 644 * 32 * DAY
    zone = "America/New_York"
    day = datetime.fromtimestamp(seam, ZoneInfo(zone)).strftime("%a")[:2]
    hours = f"{day} 00:00-44:00"
    calendar, wall = Calendar(ZoneInfo(zone), hours), Wall(zone, hours)
    assert [calendar.closing(seam + hour * 3600) for hour in (-1, 0, 1, 2)] == [
        wall.closing(seam + hour * 3600) for hour in (-1, 0, 1, 2)
    ]


@pytest.mark.parametrize(
    ("zone", "hours", "since", "seconds", "due"),
    [
        # Two hours of an evening, the rest in the morning.
        ("Europe/Kyiv", "Mo-Fr 08:00-18:00", "2026-10-01T17:00", 7200, "2026-10-02T09:00"),
        ("Europe/Kyiv", "Mo-Fr 08:00-18:00", "2026-10-02T17:00", 7200, "2026-10-05T09:00"),
        ("Europe/Kyiv", "Mo-Fr 08:00-18:00; Oct 05 off", "2026-10-02T17:00", 7200, "2026-10-06T09:00"),
        # A night shift loses its hour in spring and has it twice in autumn.
        ("Europe/Kyiv", "22:00-06:00", "2026-03-28T23:00", 5 * 3600, "2026-03-29T05:00"),
        ("Europe/Kyiv", "22:00-06:00", "2026-10-24T23:00", 5 * 3600, "2026-10-25T03:00+1"),
        ("America/New_York", "22:00-06:00", "2026-03-07T23:00", 5 * 3600, "2026-03-08T05:00"),
        ("America/New_York", "22:00-06:00", "2026-10-31T23:00", 5 * 3600, "2026-11-01T03:00"),
        ("UTC", "24/7", "2026-10-01T17:00", 400 * DAY, "2027-11-05T17:00"),
    ],
)
def test_deadlines_by_the_clock_on_the_wall(zone: str, hours: str, since: str, seconds: int, due: str) -> None:
    text, _, fold = due.partition("+")
    assert Calendar(ZoneInfo(zone), hours).later(there(since, zone), seconds) == there(text, zone, int(fold or 0))


def test_the_public_holidays_of_a_country() -> None:
    calendar = Calendar(ZoneInfo("Europe/Kyiv"), "08:00-18:00; PH off", "UA")
    assert not calendar.is_open(there("2026-08-24T12:00", "Europe/Kyiv"))
    assert calendar.is_open(there("2026-08-25T12:00", "Europe/Kyiv"))


def test_the_last_opening_of_all_still_counts() -> None:
    calendar = Calendar(ZoneInfo("UTC"), "2026 Nov 01 08:00-18:00")
    noon, evening = utc("2026-11-01T12:00"), utc("2026-11-01T18:00")
    assert calendar.closing(noon) == evening == calendar.later(noon, 6 * 3600)
    with pytest.raises(PlombaError) as caught:
        calendar.later(noon, 6 * 3600 + 1)
    assert caught.value.code == "calendar_never"


def test_openings_follow_each_other() -> None:
    calendar = Calendar(ZoneInfo("Europe/Kyiv"), "Mo-Fr 08:00-12:00,13:00-18:00")
    noon = there("2026-10-02T12:30", "Europe/Kyiv")
    assert list(islice(calendar.openings(noon), 2)) == [
        (there("2026-10-02T13:00", "Europe/Kyiv"), there("2026-10-02T18:00", "Europe/Kyiv")),
        (there("2026-10-05T08:00", "Europe/Kyiv"), there("2026-10-05T12:00", "Europe/Kyiv")),
    ]


def _load(folder: Path, text: str) -> Calendars:
    file = folder / "calendar.toml"
    file.write_text(text, encoding="utf-8")
    return Calendars.load(file)


def test_a_place_has_what_is_its_own_from_itself_and_the_rest_from_the_default(tmp_path: Path) -> None:
    calendars = _load(tmp_path, 'zone = "Europe/Kyiv"\nhours = "08:00-18:00"\n[place.17]\nhours = "10:00-20:00"\n')
    nine, nineteen = (there(f"2026-10-01T{hour}", "Europe/Kyiv") for hour in ("09:00", "19:00"))
    assert [calendars.of(17).is_open(at) for at in (nine, nineteen)] == [False, True]
    assert [calendars.of(18).is_open(at) for at in (nine, nineteen)] == [True, False]


def test_without_a_file_it_is_always_open() -> None:
    assert Calendars.load(None).of(17).closing(utc("2026-10-01T12:00")) == utc("2026-10-02T00:00")


BAD = (
    'zone = "Mars/Olympus"',
    'zone = ""',
    "zone = 2",
    'zone = "../Kyiv"',
    'zone = "Europe"',
    'zone = "Europe/\\u0000"',
    'hours = "Mo-Fr 8-18"',
    'hours = ""',
    "hours = 8",
    'shift = "08:00-18:00"',
    # It is never open, or never again.
    'hours = "24/7 off"',
    'hours = "24/7 unknown"',
    'hours = "2020 Jan 01 08:00-09:00"',
    # What would have to be guessed: whose holidays, and where the sun stands.
    'hours = "08:00-18:00; PH off"',
    'hours = "08:00-18:00; SH off"',
    'hours = "sunrise-18:00"',
    'country = "XX"',
    "country = 7",
)


@pytest.mark.parametrize("values", BAD)
@pytest.mark.parametrize("where", ["default", "place.17"])
def test_what_cannot_be_read_is_named_with_its_place(tmp_path: Path, where: str, values: str) -> None:
    with pytest.raises(UsageError) as caught:
        _load(tmp_path, values if where == "default" else f"[{where}]\n{values}")
    assert caught.value.code == "calendar_invalid"
    assert where in caught.value.what() and "calendar.toml" in caught.value.what()


@pytest.mark.parametrize(
    "text",
    [
        "[place.x]",
        "[place.-1]",
        "[place.017]",
        "[place.4294967296]",
        '[place."17 "]',
        '[place."١٧"]',
        "place = 17",
        "[place]\n17 = 8",
    ],
)
def test_a_place_is_a_table_under_its_number(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        _load(tmp_path, text)
    assert caught.value.code == "calendar_invalid" and "place" in caught.value.what()


def test_a_file_that_is_no_file_of_ours(tmp_path: Path) -> None:
    for content, code in ((b"zone = ", "calendar_invalid"), (b"\xff\xfe", "calendar_invalid"), (None, "file_missing")):
        file = tmp_path / "other.toml"
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            Calendars.load(file)
        assert caught.value.code == code
