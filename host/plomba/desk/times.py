"""When a record was made, as far as its clock and its arrival prove it."""

from __future__ import annotations

from typing import NamedTuple

from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Flag


class Made(NamedTuple):
    """The moment lies between `earliest` and `latest`; `when` is what it counts as. s since 1970."""

    earliest: int
    when: int
    latest: int


def made(head: RecordHead, received: int, error: int) -> Made | None:
    """None for a record of a clock that was never set. `error`: what a clock that was may be wrong by, s.

    It was there when it came: a terminal's clock that is ahead does not move it behind its arrival."""
    if not (head.flags & Flag.TIME_TRUSTED and head.t_utc):
        return None
    when = min(head.t_utc, received)
    return Made(when - error, when, min(when + error, received))
