"""What a lost byte costs, on streams whose answer is known."""

from __future__ import annotations

import pytest

from plomba.bench.framing_cost import frames_lost
from plomba_wire import framing


def test_a_byte_takes_its_frame_and_a_delimiter_takes_two() -> None:
    frames = [framing.encode(0x21, 0, 1, tag, bytes([tag]) * 89) for tag in range(1, 11)]
    size = len(frames[0])
    mean, worst = frames_lost(b"".join(frames), None, 1)
    # Nine of the ten delimiters have a frame behind them that goes as well.
    assert mean == pytest.approx((10 * size + 9) / (10 * size))
    assert worst == 2


def test_a_share_of_the_offsets_is_seeded() -> None:
    stream = b"".join(framing.encode(0x21, 0, 1, tag, bytes(tag % 50)) for tag in range(200))
    assert frames_lost(stream, 500, 3) == frames_lost(stream, 500, 3)
