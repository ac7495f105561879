"""The moments that were promised for an order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """s since 1970, None where nothing was promised."""

    cutoff: int | None = None
    start: int | None = None
    slot_end: int | None = None
    keep_until: int | None = None
