from __future__ import annotations
from dataclasses import dataclass

@dataclass(frozen=True, slots=True)
class Plan:
    cutoff: int | None = None
    start: int | None = None
    slot_end: int | None = None
    keep_until: int | None = None

@dataclass(frozen=True, slots=True)
class Deadline:
    incident: str
    within: int

@dataclass(frozen=True, slots=True)
class Watch:
    silence: int = 86400
    clock_error: int = 120
    escalate: tuple[int, ...] = (3600, 86400)

def due(deadline, entered, plan, calendar):
    return entered + deadline.within
