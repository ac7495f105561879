"""When a Credit was waited for: made-up lines, to the millisecond."""

from __future__ import annotations

import pytest

from plomba.bench.pace import Heard, seconds, stops
from plomba.capture import FROM_DEVICE, TO_DEVICE
from plomba_wire import codec, framing

RTT = 0.016
SIZE = 1000


def data(first: int, at: float) -> Heard:
    body = codec.Data(first, 1, b"\x01" * (SIZE - 17)).pack()
    wire = framing.encode(codec.Data.TYPE, 0, 1, 1, body)
    return FROM_DEVICE, wire, at


def credit(next_seq: int, at: float, window: int = 2048) -> Heard:
    message = codec.Credit(next_seq, window // 16, 0, b"")
    return TO_DEVICE, framing.encode(message.TYPE, 0, 1, 1, message.pack()), at


def opening(window: int = 2048) -> Heard:
    message = codec.SyncOpen(1, 1, bytes(32), window // 16)
    return TO_DEVICE, framing.encode(message.TYPE, 0, 1, 1, message.pack()), 0.0


def test_a_credit_in_time_stops_nothing() -> None:
    """Two frames fit the window. The credit for the first comes while the second is still on the line."""
    heard = [opening(), data(1, 0.010), data(2, 0.030), credit(2, 0.029), data(3, 0.040), credit(4, 0.060)]
    assert stops(heard, RTT) == (0, 0)


def test_a_line_that_ran_dry_for_the_trip_is_a_round_trip() -> None:
    heard = [opening(), data(1, 0.010), data(2, 0.020), credit(2, 0.026), data(3, 0.036), credit(4, 0.060)]
    assert stops(heard, RTT) == (1, 0)


def test_a_line_that_ran_dry_for_the_disk_is_a_stall() -> None:
    """The first frame was there at 10 ms, so its credit could have come at 26 ms, before the second was out."""
    heard = [opening(), data(1, 0.010), data(2, 0.030), credit(2, 0.090), data(3, 0.100), credit(4, 0.120)]
    assert stops(heard, RTT) == (0, 1)


def test_a_window_with_room_is_no_reason_to_stop() -> None:
    heard = [opening(8192), data(1, 0.010), credit(2, 0.500, 8192), data(2, 0.600), credit(3, 0.700, 8192)]
    assert stops(heard, RTT) == (0, 0)


def test_the_formula() -> None:
    assert seconds(92_160, 0) == pytest.approx(1.0)
    assert seconds(0, 10) == pytest.approx(0.16)
