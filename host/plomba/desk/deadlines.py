"""How long an order may stay where it is, and what it is when it stays longer: the deadlines of `lifecycle.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

MOMENTS = ("cutoff", "start", "slot_end", "keep_until")
"""What may be promised for one order, in the order of Plan's fields."""

_KEYS = {"incident", "within", "clock", "before", "by", "until"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_INCIDENT = re.compile(r"[A-Z][A-Z_]{1,30}")


class Hours(Protocol):
    """Opening hours of a place (calendars.py)."""

    def later(self, moment: int, open_seconds: int) -> int: ...
    def closing(self, moment: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Moments promised for one order, s since 1970; None where nothing was promised."""

    cutoff: int | None = None
    start: int | None = None
    slot_end: int | None = None
    keep_until: int | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until the moment `before` minus `by` s, where the order has one; else `within` s, of opening hours when
    `opening`, or until the place closes. `incident` is what it is when it passes."""

    incident: str
    within: int
    opening: bool
    before: str = ""
    by: int = 0
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """`silence`: how long an unheard terminal is waited for; `clock_error`: how far a terminal's clock may be off;
    `escalate`: how long after it was opened an incident is called out again. s."""

    silence: int
    clock_error: int
    escalate: tuple[int, ...]


def due(deadline: Deadline, entered: int, plan: Plan, hours: Hours) -> int:
    """When it passes, for an order that came there at `entered`, s since 1970."""
    promised: int | None = getattr(plan, deadline.before) if deadline.before else None
    if promised is not None:
        # A promise that is over already leaves no time, and never a deadline of before the order came.
        return max(promised - deadline.by, entered)
    if deadline.closing:
        return hours.closing(entered)
    return hours.later(entered, deadline.within) if deadline.opening else entered + deadline.within


def read_deadline(entry: object) -> Deadline:
    """Of a state in the file. Raises ValueError that names what is wrong."""
    if not isinstance(entry, dict) or set(entry) - _KEYS:
        raise ValueError("deadline")
    incident = read_incident(entry.get("incident"))
    before, closing = entry.get("before", ""), entry.get("until")
    if before not in ("", *MOMENTS) or ("by" in entry and not before):
        raise ValueError("before")
    if closing not in (None, "closing") or (closing is None) == ("within" not in entry):
        raise ValueError("within, until")
    if entry.get("clock", "opening") not in ("opening", "always") or (closing and "clock" in entry):
        raise ValueError("clock")
    within = 0 if closing else duration(entry["within"])
    by = duration(entry["by"]) if "by" in entry else 0
    return Deadline(incident, within, entry.get("clock") != "always", before, by, closing is not None)


def read_incident(name: object) -> str:
    """Raises ValueError for what cannot name a kind of incident."""
    if not isinstance(name, str) or not _INCIDENT.fullmatch(name):
        raise ValueError("incident")
    return name


def read_watch(entry: object) -> Watch:
    """Raises ValueError that names what is wrong."""
    if not isinstance(entry, dict):
        raise ValueError("silence, clock_error, escalate")
    listed = entry.get("escalate", [])
    if set(entry) - {"silence", "clock_error", "escalate"} or not isinstance(listed, list):
        raise ValueError("silence, clock_error, escalate")
    escalate = tuple(duration(text) for text in listed)
    if list(escalate) != sorted(set(escalate)):
        raise ValueError("escalate")
    return Watch(duration(entry.get("silence", "24h")), duration(entry.get("clock_error", "2m")), escalate)


def duration(text: object) -> int:
    """Seconds of "90s", "15m", "2h", "7d". Raises ValueError."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text}: 90s, 15m, 2h, 7d")
    return int(match[1]) * _UNITS[match[2]]
