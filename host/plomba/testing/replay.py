"""Plays a trace on the firmware under a rule pack, and says by its signed records what it answered to each step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plomba.desk.rules import RulePack
from plomba.errors import TerminalError
from plomba.sim.gm65 import SeenCode
from plomba.terminal import Terminal
from plomba.testing.point import Point
from plomba.testing.rig import Event
from plomba.testing.trace import Do, Trace
from plomba.transport import open_transport
from plomba.trust.organisation import Organisation

_PACE = 20.0
_QUIET_S = 3.0
_ALARM = "alarm"
"""The siren that goes on; how often, is a matter of milliseconds."""
_ENGINE_GIVES_UP_MS = 6000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one step brought: its records, and the tones that were heard."""

    do: Do
    events: tuple[Event, ...]
    tones: tuple[str, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        return tuple(event.verdict for event in self.events)

    @property
    def same(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """What two answers are compared by."""
        return tuple((event.action, event.verdict) for event in self.events), self.tones


async def play(trace: Trace, pack: RulePack, folder: Path) -> list[Answer]:
    """A new terminal in `folder`, enrolled, with the time, the pack and the list, and then the trace, step by step.

    Raises PlombaError `no_interpreter`; TerminalError.
    """
    began = time.monotonic()
    start = trace.at or max(pack.checked.pack.valid_from, int(time.time()))
    waited = 0

    def clock() -> float:
        return start + waited + time.monotonic() - began

    organisation = Organisation.create(folder / "org", now=start)
    async with Point(
        folder / "point", organisation, place=trace.place, wire="tcp", engine_pace=_PACE, clock=clock
    ) as point:
        await point.enrol("replay")
        await point.sync()
        await point.push_rules(pack)
        if trace.listed:
            await point.push_orders(trace.orders)
        await point.terminal.engine_ready()
        ends = [await _records(point)]
        tones = []
        for do in trace.steps:
            await point.terminal.warp(trace.pace_s * 1000)
            heard = len(point.terminal.tones)
            await _do(point, do)
            ends.append(await _records(point))
            tones.append(tuple(tone for tone in point.terminal.tones[heard:] if tone != _ALARM))
            waited += trace.pace_s + (do.count if do.kind == "wait_s" else 0)
        await point.sync()
        events = [Event.of(record) for record in point.records()]
    return [
        Answer(do, tuple(_between(events, first, last)), sounds)
        for do, first, last, sounds in zip(trace.steps, ends, ends[1:], tones, strict=False)
    ]


async def _do(point: Point, do: Do) -> None:
    terminal = point.terminal
    screens = len(terminal.screens)
    if do.kind == "wait_s":
        await terminal.warp(do.count * 1000)
        return
    if do.kind == "unread":
        for _ in range(do.count):
            terminal.press("scan")
            await terminal.wait_until(lambda: terminal.engine_reading)
            await terminal.warp(_ENGINE_GIVES_UP_MS)
            await terminal.wait_until(lambda: not terminal.engine_reading)
        return
    if do.kind == "key":
        terminal.press("ok" if do.text == "ok" else "back")
    else:
        text = f"PLB*{do.text}" if do.kind == "card" else do.text
        terminal.show(SeenCode(do.symbology, text.encode()))
        terminal.press("scan")
    try:
        await terminal.wait(lambda: len(terminal.screens) > screens, "screen", _QUIET_S)
    except TerminalError:
        # Nothing is shown where there is nothing to say; that it still answers is seen by `_records`.
        pass
    finally:
        terminal.show()


async def _records(point: Point) -> int:
    """How many records the terminal has: what a step made is in flash before its screen, and before this answer."""
    assert point.enrolled is not None
    async with Terminal(open_transport(point.terminal.port)) as session:
        return (await session.status(point.enrolled.public)).next_seq - 1


def _between(events: Sequence[Event], first: int, last: int) -> list[Event]:
    return [event for event in events if first < event.raw.head.seq <= last]
