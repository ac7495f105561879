"""A serial port that writes down what is done to it, with the line levels a real one would have had.

It is a pyserial backend: it overrides what pyserial's own backends override, in the order of serialposix.py and
serialwin32.py, and models what lies below them: the system raises both lines at once at open(2) on POSIX; on Windows
the driver moves one line after the other, in the order that hurts (RTS first up, DTR first down: micropython #9659).
"""

from __future__ import annotations

import threading

import serial


class RecordingPort(serial.SerialBase):
    """`levels` are (DTR, RTS) as the device saw them, `calls` what pyserial was asked for, `out` what went out."""

    def __init__(self, windows: bool = False) -> None:
        self.windows = windows
        self.levels: list[tuple[bool, bool]] = [(False, False)]
        self.calls: list[str] = []
        self.out = bytearray()
        self.reads = 0
        self.fails_open: list[Exception] = []
        self.fails_write_after: int | None = None
        self.endless = False
        self.given = 0
        self.ready_for_nothing = False
        self.refused_rates: tuple[int, ...] = ()
        self.holds_writes = threading.Event()
        self.holds_writes.set()
        self._in = bytearray()
        self._gone = False
        self._cancelled = False
        self._news = threading.Condition()
        super().__init__()

    # --- the far end ---

    def say(self, data: bytes) -> None:
        with self._news:
            self._in += data
            self._news.notify_all()

    def unplug(self) -> None:
        with self._news:
            self._gone = True
            self._news.notify_all()
        self.holds_writes.set()

    @property
    def resets(self) -> int:
        """How often the device saw RTS without DTR begin."""
        edges = zip(self.levels, self.levels[1:], strict=False)
        return sum(after == (False, True) and before != after for before, after in edges)

    # --- pyserial's side ---

    def open(self) -> None:
        self.calls.append("open")
        if self.fails_open:
            raise self.fails_open.pop(0)
        if self.windows:
            self._level(rts=self._rts_state)
            self._level(dtr=self._dtr_state)
        else:
            self._level(dtr=True, rts=True)
            self._update_dtr_state()
            self._update_rts_state()
        self.is_open = True

    def close(self) -> None:
        if not self.is_open:
            return
        self.calls.append("close")
        self.is_open = False
        if self.windows:
            self._level(dtr=False)
            self._level(rts=False)
        else:
            self._level(dtr=False, rts=False)

    def _update_dtr_state(self) -> None:
        self._must_be_there()
        self.calls.append(f"dtr={self._dtr_state:d}")
        self._level(dtr=self._dtr_state)

    def _update_rts_state(self) -> None:
        self._must_be_there()
        self.calls.append(f"rts={self._rts_state:d}")
        self._level(rts=self._rts_state)

    def _reconfigure_port(self) -> None:
        self.calls.append(f"baudrate={self._baudrate} after {len(self.out)} bytes")
        if self._baudrate in self.refused_rates:
            raise ValueError("the driver refuses this rate")

    def set_buffer_size(self, rx_size: int = 4096, tx_size: int | None = None) -> None:
        self.calls.append(f"rx_size={rx_size}")

    @property
    def in_waiting(self) -> int:
        self._must_be_there()
        return 4096 if self.endless else len(self._in)

    def read(self, size: int = 1) -> bytes:
        self.reads += 1
        if self.endless:
            self.given += size
            return bytes(size)
        if self.ready_for_nothing:
            return b""
        with self._news:
            self._news.wait_for(lambda: self._in or self._gone or self._cancelled, self._timeout)
            self._must_be_there()
            self._cancelled = False
            data = bytes(self._in[:size])
            del self._in[:size]
            return data

    def write(self, data: bytes) -> int:
        self.holds_writes.wait()
        self._must_be_there()
        if self.fails_write_after is not None and len(self.out) + len(data) > self.fails_write_after:
            self.out += data[: self.fails_write_after - len(self.out)]
            raise serial.SerialTimeoutException("Write timeout")
        self.out += data
        return len(data)

    def cancel_read(self) -> None:
        with self._news:
            self._cancelled = True
            self._news.notify_all()

    def flush(self) -> None:
        self._must_be_there()
        self.calls.append(f"flush after {len(self.out)} bytes")

    def _level(self, dtr: bool | None = None, rts: bool | None = None) -> None:
        before = self.levels[-1]
        after = (before[0] if dtr is None else dtr, before[1] if rts is None else rts)
        if after != before:
            self.levels.append(after)

    def _must_be_there(self) -> None:
        if self._gone:
            raise serial.SerialException("device reports readiness to read but returned no data")
