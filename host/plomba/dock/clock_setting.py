"""Sets a terminal's clock, over the nonce of a probe; a clock that is right is left alone."""

from __future__ import annotations

from collections.abc import Callable

from plomba.errors import TerminalRefused
from plomba.terminal import ClockReading, Terminal
from plomba.trust.objects import package, version_of
from plomba.trust.organisation import Organisation
from plomba_wire.codec import TimeBody
from plomba_wire.vocabulary import Error, ObjectKind

SKEW_S = 3600
"""What a dock signs holds from so long before now: a terminal's clock may be behind."""
OFF_S = 2.0
"""A clock that is off by no more than this is left alone: setting it would cost a record at every docking."""
_UNCERTAINTY_MS = 1000


async def set_clock(terminal: Terminal, organisation: Organisation, clock: Callable[[], float]) -> str:
    """Returns what became of it: "pushed", "refused", or nothing where there was nothing to do.

    It is refused where the clock is more than a day ahead: nobody puts it back, and the records say what it showed.
    """
    reading = await terminal.clock(clock)
    if reading.offset is not None and abs(reading.offset) <= OFF_S + reading.trip:
        return ""
    return await _set(terminal, organisation, clock, reading)


async def mend_clock(terminal: Terminal, organisation: Organisation, clock: Callable[[], float]) -> str:
    """Before anything is receipted: a clock that is far behind would find a receipt not yet valid, and so for ever."""
    reading = await terminal.clock(clock)
    if reading.offset is None or abs(reading.offset) <= SKEW_S / 2:
        return ""
    return await _set(terminal, organisation, clock, reading)


async def _set(
    terminal: Terminal, organisation: Organisation, clock: Callable[[], float], reading: ClockReading
) -> str:
    now = int(clock())
    # Whole seconds and the trip are what it can be off by.
    body = TimeBody(terminal.hello.terminal, reading.nonce, now, _UNCERTAINTY_MS + int(reading.trip * 1000)).pack()
    signer = organisation.dock
    sealed = package(
        ObjectKind.TIME,
        body,
        signer.key,
        signer.certificate,
        version=now,
        not_before=now - SKEW_S,
        not_after=now + SKEW_S,
    )
    try:
        await terminal.push(ObjectKind.TIME, version_of(sealed), sealed)
    except TerminalRefused as refused:
        # A terminal whose list of revocations is damaged takes nothing before it has one.
        if refused.link_code not in (Error.ROLLBACK, Error.STORAGE_FAULT):
            raise
        return "refused"
    return "pushed"
