"""When places are open, for deadlines that run in opening hours only (docs/calendar.md).

Hours are written as OpenStreetMap writes them (opening_hours, wiki.openstreetmap.org/wiki/Key:opening_hours).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opening_hours import (  # type: ignore[attr-defined]  # its stub leaves the errors out
    OpeningHours,
    ParserError,
    State,
    UnknownCountryError,
)

from plomba.errors import PlombaError, UsageError

DEFAULT = "default"
_KEYS = {"zone", "hours", "country"}
_HOLIDAYS = re.compile(r"\b[PS]H\b")
_SUN = re.compile(r"\b(sunrise|sunset|dawn|dusk)\b")
_PLACE = re.compile(r"0|[1-9][0-9]{0,9}")
_QUOTED = re.compile(r'"[^"]*"')
_CHUNK = 32 * 86400
"""Seconds of hours that are worked out at once."""
_MARGIN = timedelta(days=2)
_DAY = timedelta(days=1)
_DAY_S = 86400
LONGEST = 2 * _CHUNK
"""Seconds after which one opening is told in parts."""
_NEVER = 24
"""Chunks without an opening after which a place counts as closed for good: two years."""
_EPOCH = datetime(1970, 1, 1)


class Calendar:
    """The opening hours of one place: it is open while its wall clock says so. Moments are s since 1970."""

    def __init__(self, zone: ZoneInfo, hours: str, country: str | None = None) -> None:
        """`country` (ISO 3166) is whose public holidays `PH` are. Raises ParserError for hours that cannot be read,
        ValueError for what would have to be guessed, UnknownCountryError."""
        self.zone = zone
        self._hours = OpeningHours(hours, country=country)
        said = _QUOTED.sub("", hours)
        if _SUN.search(said) or (country is None and _HOLIDAYS.search(said)):
            raise ValueError(f"{hours}: PH without a country, or the sun")
        self._chunks: dict[int, tuple[list[int], list[int]]] = {}

    def is_open(self, moment: int) -> bool:
        starts, ends = self._chunk(moment // _CHUNK)
        at = bisect_right(starts, moment) - 1
        return at >= 0 and moment < ends[at]

    def later(self, moment: int, open_seconds: int) -> int:
        """The moment by which the place has been open for so long. Raises PlombaError `calendar_never`."""
        left = open_seconds
        for start, end in self.openings(moment):
            begins = max(start, moment)
            if end - begins > left or (end - begins == left and left):
                return begins + left
            left -= end - begins
        raise AssertionError("openings do not end")

    def closing(self, moment: int) -> int:
        """When it closes that day, or the next day it opens; where it is open longer than a day, the end of the day.
        Raises PlombaError `calendar_never`."""
        start, end = next(self.openings(moment))
        if self._local(end) - self._local(start) <= _DAY:
            return end
        return min(end, self._midnight(max(start, moment)))

    def openings(self, moment: int) -> Iterator[tuple[int, int]]:
        """Beginning and end of the openings that end after the moment; one that runs on is told as far as LONGEST goes,
        and from a day before the moment at least. Raises PlombaError `calendar_never` behind the last one."""
        for start, end in self._joined((moment - 2 * _DAY_S) // _CHUNK):
            if end > moment:
                yield start, end

    def _joined(self, chunk: int) -> Iterator[tuple[int, int]]:
        held: tuple[int, int] | None = None
        empty = 0
        while empty < _NEVER:
            starts, ends = self._chunk(chunk)
            for start, end in zip(starts, ends, strict=True):
                if held is not None and held[1] == start and held[1] - held[0] < LONGEST:
                    held = held[0], end
                    continue
                if held is not None:
                    yield held
                held = start, end
            empty = 0 if starts else empty + 1
            chunk += 1
        if held is not None:
            yield held
        raise PlombaError("calendar_never")

    def _chunk(self, number: int) -> tuple[list[int], list[int]]:
        held = self._chunks.get(number)
        if held is None:
            held = self._chunks[number] = self._worked_out(number * _CHUNK, (number + 1) * _CHUNK)
        return held

    def _worked_out(self, first: int, last: int) -> tuple[list[int], list[int]]:
        starts: list[int] = []
        ends: list[int] = []
        for begin, end, offset in self._offsets(first, last):
            # The wall clock runs evenly between two changes of the clocks; what it shows twice is open twice.
            local = (_EPOCH + timedelta(seconds=moment + offset) for moment in (begin, end))
            since, until = local
            for opens, closes, state, _ in self._hours.intervals(since - _MARGIN, until + _MARGIN):
                if state != State.OPEN:
                    continue
                start = max(_seconds(opens) - offset, begin)
                stop = min(_seconds(closes) - offset, end)
                if start >= stop:
                    continue
                if ends and ends[-1] == start:
                    ends[-1] = stop
                else:
                    starts.append(start)
                    ends.append(stop)
        return starts, ends

    def _offsets(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Stretches between changes of the clocks: beginning, end, s ahead of UTC."""
        begin, offset, at = first, self._offset(first), first
        while at < last:
            ahead = min(at + _DAY_S, last)
            if self._offset(ahead) != offset:
                change = bisect_left(range(at, ahead), True, key=lambda moment: self._offset(moment) != offset) + at
                yield begin, change, offset
                begin, offset = change, self._offset(change)
            at = ahead
        if begin < last:
            yield begin, last, offset

    def _offset(self, moment: int) -> int:
        ahead = datetime.fromtimestamp(moment, self.zone).utcoffset()
        assert ahead is not None
        return int(ahead.total_seconds())

    def _local(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None)

    def _midnight(self, moment: int) -> int:
        """The next one there."""
        day = self._local(moment).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return int((day + _DAY).replace(tzinfo=self.zone).timestamp())


def _seconds(local: datetime) -> int:
    return round((local - _EPOCH).total_seconds())


class Calendars:
    """The calendars of all places."""

    def __init__(self, default: Calendar, places: Mapping[int, Calendar]) -> None:
        self._default = default
        self._places = places

    def of(self, place: int) -> Calendar:
        return self._places.get(place, self._default)

    @classmethod
    def load(cls, path: Path | None) -> Calendars:
        """From a file; without one every place is always open, in UTC. Raises UsageError `calendar_invalid`, which
        names the place and the reason."""
        data: dict[str, Any] = {}
        if path is not None:
            try:
                data = tomllib.loads(path.read_text(encoding="utf-8"))
            except OSError as error:
                raise UsageError("file_missing", path=path) from error
            except ValueError as error:
                raise UsageError("calendar_invalid", path=path, where="-", reason=error) from error
        reader = _Reader(path)
        places = data.pop("place", {})
        default = reader.calendar(DEFAULT, data)
        if not isinstance(places, dict):
            raise reader.wrong("place", "not a table")
        found = {}
        for number, entry in places.items():
            if not _PLACE.fullmatch(number) or int(number) > 0xFFFFFFFF:
                raise reader.wrong(f"place.{number}", "not the number of a place")
            if not isinstance(entry, dict):
                raise reader.wrong(f"place.{number}", "not a table")
            found[int(number)] = reader.calendar(f"place.{number}", {**data, **entry})
        return cls(default, found)


class _Reader:
    def __init__(self, path: Path | None) -> None:
        self._path = path

    def wrong(self, where: str, reason: object) -> UsageError:
        return UsageError("calendar_invalid", path=self._path, where=where, reason=reason)

    def calendar(self, where: str, entry: Mapping[str, Any]) -> Calendar:
        unknown = sorted(set(entry) - _KEYS)
        if unknown:
            raise self.wrong(where, unknown[0])
        zone, hours = entry.get("zone", "UTC"), entry.get("hours", "24/7")
        try:
            calendar = Calendar(ZoneInfo(zone), hours, entry.get("country"))
            calendar.later(int(datetime.now(UTC).timestamp()), 1)
        except (ZoneInfoNotFoundError, OSError, TypeError, ValueError, ParserError, UnknownCountryError) as error:
            raise self.wrong(where, error) from error
        except PlombaError as error:
            raise self.wrong(where, error.what()) from error
        return calendar
