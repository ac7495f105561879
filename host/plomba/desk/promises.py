"""Promised moments as text: RFC 3339 into s since 1970, and whether the moments of one order make sense together."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from plomba.desk.deadlines import Plan
from plomba.errors import UsageError

COLUMNS = ("cutoff", "start", "slot_end", "keep_until")

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
_ORDERED = (("cutoff", "slot_end"), ("start", "slot_end"), ("cutoff", "keep_until"), ("start", "keep_until"))
"""The first of two comes before the second."""


def moment(column: str, text: str) -> int:
    """s since 1970 of an RFC 3339 moment (section 5.6; seconds may be left out, parts of a second are dropped). Raises
    UsageError: `desk_row_offset` for one without an offset, since nobody knows whose clock that is; else
    `desk_row_moment`."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise UsageError("desk_row_moment", column=column, found=text)
    day, minutes, seconds, offset = match.groups()
    if offset is None:
        raise UsageError("desk_row_offset", column=column, found=text)
    try:
        at = int(datetime.fromisoformat(f"{day}T{minutes}{seconds or ':00'}{offset.upper()}").timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError("desk_row_moment", column=column, found=text) from error
    if not _EARLIEST <= at < _LATEST:
        raise UsageError("desk_row_moment", column=column, found=text)
    return at


def contradictions(plan: Plan) -> list[UsageError]:
    """`desk_row_moments` for each moment that is not after the one it has to follow."""
    found = []
    for first, second in _ORDERED:
        one, other = getattr(plan, first), getattr(plan, second)
        if one is not None and other is not None and other <= one:
            found.append(UsageError("desk_row_moments", column=second, first=first))
    return found
