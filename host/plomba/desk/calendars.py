"""When places are open, for deadlines that run in opening hours only (docs/calendar.md).

Hours are written as OpenStreetMap writes them (opening_hours, wiki.openstreetmap.org/wiki/Key:opening_hours).
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opening_hours import (  # type: ignore[attr-defined]  # its stub leaves the error out
    OpeningHours,
    ParserError,
    State,
)

from plomba.errors import PlombaError, UsageError

DEFAULT = "default"
_KEYS = {"zone", "hours"}
_CHUNK = 32 * 86400
"""Seconds of hours that are worked out at once."""
_MARGIN = timedelta(days=2)
_DAY = timedelta(days=1)
_NEVER = 24
"""Chunks without an opening after which a place counts as closed for good: two years."""


class Calendar:
    """The opening hours of one place. Moments are s since 1970."""

    def __init__(self, zone: ZoneInfo, hours: str) -> None:
        """Raises ParserError for hours that cannot be read."""
        self._zone = zone
        self._hours = OpeningHours(hours)
        self._chunks: dict[int, tuple[list[int], list[int]]] = {}

    def is_open(self, moment: int) -> bool:
        starts, ends = self._chunk(moment // _CHUNK)
        at = bisect_right(starts, moment) - 1
        return at >= 0 and moment < ends[at]

    def later(self, moment: int, open_seconds: int) -> int:
        """The moment by which the place has been open for so long. Raises PlombaError `calendar_never`."""
        left = open_seconds
        for start, end in self._from(moment):
            begins = max(start, moment)
            if end - begins > left or (end - begins == left and left):
                return begins + left
            left -= end - begins
        raise AssertionError("openings do not end")

    def closing(self, moment: int) -> int:
        """When it closes that day, or the next day it opens; where it never closes, the end of the day."""
        start, end = next(self._from(moment))
        begins = max(start, moment)
        midnight = self._midnight(begins)
        return min(end, midnight) if end - start > _DAY.total_seconds() else end

    def _from(self, moment: int) -> Iterator[tuple[int, int]]:
        """The openings that end after the moment; one that runs on is told whole, as far as two chunks go."""
        chunk = moment // _CHUNK
        held: tuple[int, int] | None = None
        empty = 0
        while empty < _NEVER:
            starts, ends = self._chunk(chunk)
            for start, end in zip(starts, ends, strict=True):
                if end <= moment:
                    continue
                if held is not None and held[1] == start and held[1] - held[0] < 2 * _CHUNK:
                    held = held[0], end
                    continue
                if held is not None:
                    yield held
                held = start, end
            empty = 0 if starts else empty + 1
            chunk += 1
        raise PlombaError("calendar_never")

    def _chunk(self, number: int) -> tuple[list[int], list[int]]:
        held = self._chunks.get(number)
        if held is None:
            held = self._chunks[number] = self._worked_out(number * _CHUNK, (number + 1) * _CHUNK)
        return held

    def _worked_out(self, first: int, last: int) -> tuple[list[int], list[int]]:
        starts: list[int] = []
        ends: list[int] = []
        # Worked out on the wall clock of the place, with room on either side: the change of the clocks is not its
        # affair.
        local = (datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None) for moment in (first, last))
        begin, end = local
        for opens, closes, state, _ in self._hours.intervals(begin - _MARGIN, end + _MARGIN):
            if state != State.OPEN:
                continue
            start, stop = max(self._moment(opens), first), min(self._moment(closes), last)
            if start < stop:
                if ends and ends[-1] == start:
                    ends[-1] = stop
                else:
                    starts.append(start)
                    ends.append(stop)
        return starts, ends

    def _moment(self, local: datetime) -> int:
        return int(local.replace(tzinfo=self._zone).timestamp())

    def _midnight(self, moment: int) -> int:
        local = datetime.fromtimestamp(moment, self._zone).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None
        )
        return self._moment(local + _DAY)


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
            if not number.isdecimal() or not number.isascii() or int(number) > 0xFFFFFFFF:
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
            calendar = Calendar(ZoneInfo(zone), hours)
            calendar.later(int(datetime.now(UTC).timestamp()), 1)
        except (ZoneInfoNotFoundError, TypeError, ValueError, ParserError) as error:
            raise self.wrong(where, error) from error
        except PlombaError as error:
            raise self.wrong(where, error.what()) from error
        return calendar
