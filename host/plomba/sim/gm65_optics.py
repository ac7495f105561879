"""The eye of a GM65-class engine: when it looks, how long, and which of the codes it sees counts as read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from plomba.sim import gm65_registers as reg
from plomba.sim.gm65_agenda import Agenda
from plomba.sim.gm65_memory import Memory


@dataclass(frozen=True, slots=True)
class SeenCode:
    """A code in front of the window: its symbology as zxing names it ("QRCode", "Code128") and its bytes."""

    symbology: str
    data: bytes


class _Read:
    """One attempt to read, from its trigger until a code, a timeout or a stop."""

    __slots__ = ("decoding",)

    def __init__(self) -> None:
        self.decoding = False


class Optics:
    """Reads what is in the window.

    `deliver` takes the code that was read, or None when a read timed out, and returns the time from which the
    interval before the next read of continuous mode counts.
    """

    def __init__(
        self, memory: Memory, decode_s: float, agenda: Agenda, deliver: Callable[[SeenCode | None], float]
    ) -> None:
        self._memory = memory
        self._decode_s = decode_s
        self._agenda = agenda
        self._deliver = deliver
        self._window: tuple[SeenCode, ...] = ()
        self._awake = False
        self._read: _Read | None = None
        self._next_read_at = -inf
        self._last: tuple[SeenCode, float] | None = None

    @property
    def is_reading(self) -> bool:
        return self._read is not None

    def see(self, codes: tuple[SeenCode, ...]) -> None:
        self._window = codes
        self.look()

    def open(self) -> None:
        """The engine is awake: in continuous mode, read."""
        self._awake = True
        self._resume()

    def close(self) -> None:
        """The engine sleeps."""
        self._awake = False
        self.stop()

    def power_off(self) -> None:
        """Forget everything but what is in the window. The caller drops the agenda."""
        self._awake = False
        self._read = self._last = None
        self._next_read_at = self._agenda.now

    def start(self) -> None:
        if not self._awake:
            return
        self._read = read = _Read()
        self._memory.scan_ordered = self._memory.mode == reg.COMMAND
        timeout = self._memory.timeout_s
        if timeout is not None:
            self._agenda.after(timeout, lambda: self._give_up(read))
        self.look()

    def stop(self) -> None:
        self._read = None
        self._memory.scan_ordered = False

    def change_mode(self) -> None:
        """Register 00 has a new mode. A picture being decoded is not given up: its text still comes."""
        if self._read is not None and not self._read.decoding:
            self.stop()
        self._next_read_at = self._agenda.now
        self._resume()

    def look(self) -> None:
        """Begin to decode, if a read is on and something in the window can be read."""
        read = self._read
        if read is not None and not read.decoding and self._readable():
            read.decoding = True
            self._agenda.after(self._decode_s, lambda: self._decode(read))

    def _resume(self) -> None:
        """Start the next read of continuous mode, if its time has come."""
        if self._memory.is_continuous and self._read is None and self._agenda.now >= self._next_read_at:
            self.start()

    def _readable(self) -> list[SeenCode]:
        return [code for code in self._window if self._memory.can_read(code.symbology, len(code.data))]

    def _decode(self, read: _Read) -> None:
        if self._read is not read:
            return
        read.decoding = False
        readable = self._readable()
        for code in readable:
            if self._agenda.now >= self._muted_until(code):
                self._last = code, self._agenda.now
                self._end(code)
                return
        if readable:
            self._agenda.at(min(map(self._muted_until, readable)), self.look)

    def _give_up(self, read: _Read) -> None:
        if self._read is read:
            self._end(None)

    def _end(self, code: SeenCode | None) -> None:
        self.stop()
        over_at = self._deliver(code)
        if self._memory.is_continuous:
            self._next_read_at = over_at + self._memory.interval_s
            self._agenda.at(self._next_read_at, self._resume)

    def _muted_until(self, code: SeenCode) -> float:
        """When the same-code delay lets this code through. It works where nobody asks for the read."""
        delay = self._memory.same_code_delay_s
        if self._last is None or self._last[0] != code or delay is None or not self._memory.is_continuous:
            return -inf
        return self._last[1] + delay
