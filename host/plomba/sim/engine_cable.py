"""The cable between the board and the scan engine's model, with the engine's own clock."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from plomba.capture import FROM_DEVICE, TO_DEVICE, Recorder
from plomba.sim.gm65 import Gm65, SeenCode

_SETTINGS = "engine.json"


class EngineCable:
    """`pace` is how many times faster than real time the engine lives, `capture` gets what passes. `folder` keeps the
    engine's EEPROM. `plugged` False: neither side hears the other. `board_baud` is the rate of the board's end;
    `changed` is called when the engine did something."""

    def __init__(self, folder: Path, pace: float, capture: Path | None, changed: Callable[[], None]) -> None:
        self.plugged = True
        self.board_baud = 9600
        self.engine = Gm65(eeprom=_stored_eeprom(folder / _SETTINGS))
        self._settings = folder / _SETTINGS
        self._pace = pace
        self._capture = Recorder(capture) if capture is not None else None
        self._changed = changed
        self._warped_ms = 0
        self._end: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None

    def power_on(self, end: socket.socket) -> None:
        """The board's end is at `end`."""
        self._end = end
        self.engine.power_on(self._now())
        self._pump()

    def power_off(self) -> None:
        """RAM is lost, the EEPROM is written down."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end = None
        settings = {f"{register:#04x}": value for register, value in self.engine.eeprom.items()}
        self._settings.write_text(json.dumps(settings), encoding="ascii")

    def see(self, codes: Sequence[SeenCode]) -> None:
        """What lies before the window."""
        self.engine.see(codes, self._now())
        self._pump()

    def warp(self, ms: int) -> None:
        """The board's clock is moved, and the engine's with it."""
        self._warped_ms += ms

    def heard(self, data: bytes) -> None:
        """Bytes from the board."""
        if self._capture is not None:
            self._capture.record(TO_DEVICE, data)
        if self.plugged:
            self.engine.receive(data, self.board_baud, self._now())
        self._pump()

    def _now(self) -> float:
        """The engine's clock, seconds."""
        return asyncio.get_running_loop().time() * self._pace + self._warped_ms / 1000

    def _pump(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._now()
        while True:
            data, baud = self.engine.transmit(now)
            if not data:
                break
            if self._capture is not None:
                self._capture.record(FROM_DEVICE, data)
            if baud == self.board_baud and self.plugged and self._end is not None:
                with suppress(OSError):  # the board may be without power
                    self._end.send(data)
        self._changed()
        deadline = self.engine.next_deadline()
        if deadline is not None:
            delay = max(0.001, deadline - now) / self._pace
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)


def _stored_eeprom(path: Path) -> dict[int, int] | None:
    if not path.exists():
        return None
    return {int(register, 16): value for register, value in json.loads(path.read_text(encoding="ascii")).items()}
