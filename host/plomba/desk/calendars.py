"""When places are open, for deadlines that run in opening hours only (docs/calendar.md).

Hours are written as OpenStreetMap writes them (opening_hours, wiki.openstreetmap.org/wiki/Key:opening_hours).
"""

from __future__ import annotations

import re
import time
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opening_hours import (  # type: ignore[attr-defined]  # its stub leaves the error out
    OpeningHours,
    ParserError,
    State,
)

from plomba.errors import PlombaError, UsageError

DEFAULT = "default"
_KEYS = {"zone", "hours"}
_DAY = 86400
_CHUNK = 32 * _DAY
"""Seconds of hours that are worked out at once."""
_NEVER = 24
"""Chunks without an opening after which a place counts as closed for good: two years."""
_EPOCH = datetime(1970, 1, 1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"\b([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})\b")
_COMMENT = re.compile(r'"[^"]*"')
_ELSEWHERE = re.compile(r"\b(PH|SH|sunrise|sunset|dawn|dusk)\b", re.IGNORECASE)
"""Known by the country or by the sun: the library takes a guess, or leaves them out."""
_SHORT = re.compile(r"\b(?:Feb 3[01]|(?:Apr|Jun|Sep|Nov) 31)\b", re.IGNORECASE)
"""Days that no month has: the library reads such a rule as one for every day."""


class _Hours(NamedTuple):
    """Openings of one chunk. `before`: open seconds of the chunk before each of them, and last all of them."""

    starts: list[int]
    ends: list[int]
    before: list[int]


class Calendar:
    """The opening hours of one place, by the clock on its wall. Moments are s since 1970."""

    def __init__(self, zone: ZoneInfo, hours: str) -> None:
        """Raises ValueError and ParserError for hours that cannot be read."""
        written = _DATE.sub(lambda date: f"{date[1]} {_MONTHS[int(date[2]) - 1]} {date[3]}", hours)
        for wrong, why in ((_ELSEWHERE, "write dates or times instead"), (_SHORT, "no such day")):
            found = wrong.search(_COMMENT.sub("", written))
            if found is not None:
                raise ValueError(f"{found[0]}: {why}")
        self.zone = zone
        self._hours = OpeningHours(written)
        self._chunks: dict[int, _Hours] = {}

    def is_open(self, moment: int) -> bool:
        starts, ends, _ = self._chunk(moment // _CHUNK)
        at = bisect_right(starts, moment) - 1
        return at >= 0 and moment < ends[at]

    def later(self, moment: int, open_seconds: int) -> int:
        """The moment by which the place has been open for so long; for 0 the first at which it is. Behind the last
        opening of a place that is closed for good every second counts: no deadline is put off for ever."""
        if not open_seconds:
            return self.later(moment, 1) - 1
        number = moment // _CHUNK
        starts, ends, before = self._chunk(number)
        at = bisect_right(starts, moment) - 1
        left = open_seconds
        if at >= 0:
            left += before[at] + min(moment, ends[at]) - starts[at]
        last, empty = moment, 0
        while left > before[-1]:
            left -= before[-1]
            if starts:
                last, empty = max(moment, ends[-1]), 0
            elif (empty := empty + 1) == _NEVER:
                return last + left
            number += 1
            starts, ends, before = self._chunk(number)
        at = bisect_left(before, left) - 1
        return starts[at] + left - before[at]

    def closing(self, moment: int) -> int:
        """When it closes; while it is closed, when it closes the next time. Where it stays open for more than a day
        by its clock, the end of the day."""
        begins = self.later(moment, 0)
        start, end = self._opening(begins)
        lasts = end + self._offset(end) - start - self._offset(start)
        return min(end, self._midnight(begins)) if lasts > _DAY else end

    def openings(self, moment: int, count: int) -> list[tuple[int, int]]:
        """What it is open from the moment on, [from, until) each, at most so many; where it stays open for months, as
        far as the hours are worked out."""
        found: list[tuple[int, int]] = []
        while len(found) < count and self.is_open(begins := self.later(moment, 0)):
            moment = self._opening(begins)[1]
            found.append((begins, moment))
        return found

    def opens(self) -> bool:
        """Whether it does, within two years from today."""
        return bool(self.openings(int(time.time()), 1))

    def _opening(self, moment: int) -> tuple[int, int]:
        """The one that holds the moment, or as much of it as shows whether it lasts for more than a day; where it is
        closed for good, a day without end."""
        number = moment // _CHUNK
        starts, ends, _ = self._chunk(number)
        at = bisect_right(starts, moment) - 1
        if at < 0 or moment >= ends[at]:
            return moment, moment + 2 * _DAY
        start, end = starts[at], ends[at]
        if end == (number + 1) * _CHUNK and end - moment <= 2 * _DAY:
            further = self._chunk(number + 1)
            if further.starts and further.starts[0] == end:
                end = further.ends[0]
        if start == number * _CHUNK and end - start <= 2 * _DAY and number:
            earlier = self._chunk(number - 1)
            if earlier.ends and earlier.ends[-1] == start:
                start = earlier.starts[-1]
        return start, end

    def _chunk(self, number: int) -> _Hours:
        held = self._chunks.get(number)
        if held is None:
            held = self._chunks[number] = self._worked_out(number * _CHUNK, (number + 1) * _CHUNK)
        return held

    def _worked_out(self, first: int, last: int) -> _Hours:
        starts: list[int] = []
        ends: list[int] = []
        for begin, until, offset in self._offsets(first, last):
            wall = _EPOCH + timedelta(seconds=begin + offset)
            reach = timedelta(seconds=until - begin + _DAY)
            for opens, closes, state, _ in self._hours.intervals(wall - timedelta(days=1), wall + reach):
                start = max(_seconds(opens) - offset, begin)
                end = min(_seconds(closes) - offset, until)
                if state != State.OPEN or start >= end:
                    continue
                if ends and ends[-1] == start:
                    ends[-1] = end
                else:
                    starts.append(start)
                    ends.append(end)
        before = [0]
        for start, end in zip(starts, ends, strict=True):
            before.append(before[-1] + end - start)
        return _Hours(starts, ends, before)

    def _offsets(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """(from, until, local time minus UTC): where the clocks change, another begins."""
        begin, offset = first, self._offset(first)
        for day in range(first, last, _DAY):
            after = self._offset(day + _DAY)
            if after != offset:
                change = self._change(day, after)
                yield begin, change, offset
                begin, offset = change, after
        yield begin, last, offset

    def _change(self, day: int, after: int) -> int:
        """The first moment of the 24 hours from `day` on, its end among them, of which local time is so far off."""
        seconds = range(day, day + _DAY)
        return day + bisect_left(seconds, True, key=lambda moment: self._offset(moment) == after)

    def _offset(self, moment: int) -> int:
        local = datetime.fromtimestamp(moment, self.zone)
        return _seconds(local.replace(tzinfo=None)) - moment

    def _midnight(self, moment: int) -> int:
        local = datetime.fromtimestamp(moment, self.zone)
        day = datetime(local.year, local.month, local.day) + timedelta(days=1)
        return int(day.replace(tzinfo=self.zone).timestamp())


def _seconds(wall: datetime) -> int:
    return (wall - _EPOCH) // timedelta(seconds=1)


class Calendars:
    """The calendars of all places."""

    def __init__(self, default: Calendar, places: Mapping[int, Calendar], content: str = "") -> None:
        """`content`: the text that they were read from."""
        self.default = default
        self.content = content
        self._places = places

    def of(self, place: int) -> Calendar:
        return self._places.get(place, self.default)

    def own(self) -> list[int]:
        """The places that have hours of their own."""
        return sorted(self._places)

    @classmethod
    def load(cls, path: Path | None) -> Calendars:
        """From a file; without one every place is always open, in UTC. Raises UsageError: `file_missing`, or
        `calendar_invalid`, which names the place and the reason; of several mistakes the first (`read`)."""
        calendars, mistakes = cls.read(path)
        if mistakes:
            raise mistakes[0]
        return calendars

    @classmethod
    def read(cls, path: Path | None) -> tuple[Calendars, list[UsageError]]:
        """What can be read, and all that is wrong with the rest. Raises UsageError `file_missing`."""
        reader = _Reader(path)
        data: dict[str, Any] = {}
        content = ""
        if path is not None:
            try:
                content = path.read_text(encoding="utf-8")
                data = tomllib.loads(content)
            except OSError as error:
                raise UsageError("file_missing", path=path) from error
            except ValueError as error:
                reader.wrong("-", error)
        places = data.pop("place", {})
        default = reader.calendar(DEFAULT, data)
        if reader.mistakes:
            data = {}
        if not isinstance(places, dict):
            reader.wrong("place", "[place.N]")
            places = {}
        found = {}
        for number, entry in places.items():
            where = f"place.{number}"
            if not number.isascii() or not number.isdecimal() or str(int(number[:11])) != number or int(number) >> 32:
                reader.wrong(where, "0…4294967295")
            elif not isinstance(entry, dict):
                reader.wrong(where, f"[{where}]")
            else:
                found[int(number)] = reader.calendar(where, entry, data)
        return cls(default, found, content), reader.mistakes


class _Reader:
    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.mistakes: list[UsageError] = []

    def wrong(self, where: str, reason: object) -> None:
        self.mistakes.append(UsageError("calendar_invalid", path=self._path or "-", where=where, reason=reason))

    def calendar(self, where: str, entry: Mapping[str, Any], default: Mapping[str, Any] | None = None) -> Calendar:
        """An always open one in the place of one that cannot be read."""
        for unknown in sorted(set(entry) - _KEYS):
            self.wrong(where, f"{unknown}: zone, hours")
        known = {"zone": "UTC", "hours": "24/7", **(default or {}), **entry}
        try:
            calendar = Calendar(ZoneInfo(known["zone"]), known["hours"])
            if calendar.opens():
                return calendar
            self.wrong(where, PlombaError("calendar_never").what())
        except ParserError as error:
            self.wrong(where, _parser_says(known["hours"], str(error)))
        except (ZoneInfoNotFoundError, OSError, TypeError, ValueError) as error:
            self.wrong(where, error.args[0] if error.args else error)
        return Calendar(ZoneInfo("UTC"), "24/7")


def _parser_says(hours: str, text: str) -> str:
    """The rest of the hours from where they stop making sense, and what is expected there."""
    place, expected = re.search(r"--> [0-9]+:([0-9]+)", text), re.search(r"= (.*)", text)
    if place is None or expected is None:
        return text
    return f"{hours[int(place[1]) - 1 :] or '-'}: {expected[1]}"
