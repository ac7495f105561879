"""What is no frame is an entry by itself, with its bytes counted, and never an exception."""

from __future__ import annotations

import pytest
from recorded import Recorded, dissected, wire

from plomba.capture import FROM_DEVICE, TO_DEVICE
from plomba_wire import codec, framing

PING = wire(codec.Ping(b"12345678"), 3)


def kinds(*pieces: bytes, direction: int = TO_DEVICE) -> list[tuple[str, int]]:
    made = Recorded()
    for piece in pieces:
        made.raw(direction, piece)
    return [(entry.kind, entry.size) for entry in dissected(made)[0]]


def test_a_wrong_crc_still_shows_the_head_as_a_guess() -> None:
    broken = framing.cobs_encode(framing.frame_bytes(0x02, 0, 7, 3, b"12345678")[:-1] + b"\xee")
    entries, summary = dissected(Recorded().raw(TO_DEVICE, broken))
    assert (entries[0].kind, entries[0].crc, entries[0].name, entries[0].tag) == ("bad_crc", "bad", "Ping", 3)
    assert summary["damaged"] == 1 and summary["directions"]["to_terminal"]["frames"] == 0


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((b"\x05ab\0",), [("bad_cobs", 4)]),
        ((b"\x03ab\0",), [("bad_length", 4)]),
        ((framing.cobs_encode(bytes(4107)),), [("bad_length", 4109)]),
        ((b"\x55" * 4608 + b"\0",), [("bad_cobs", 4609)]),
        ((b"\x55" * 4609 + b"\0" + PING,), [("overlong", 4610), ("frame", len(PING))]),
        ((b"\x55" * 3000, b"\x55" * 7000, PING), [("overlong", 10000 + len(PING))]),
        ((b"\x55" * 9000,), [("overlong", 9000)]),
        ((PING[:-1],), [("unfinished", len(PING) - 1)]),
        ((b"\0\0\0" + PING + b"\0", b"\0"), [("zeros", 3), ("frame", len(PING)), ("zeros", 1), ("zeros", 1)]),
        ((PING[:5], PING[5:]), [("frame", len(PING))]),
        ((), []),
        ((b"",), []),
    ],
)
def test_kinds_and_sizes(pieces: tuple[bytes, ...], expected: list[tuple[str, int]]) -> None:
    assert kinds(*pieces) == expected


def test_the_directions_do_not_mix() -> None:
    made = Recorded().raw(TO_DEVICE, PING[:6]).raw(FROM_DEVICE, b"\0").raw(TO_DEVICE, PING[6:])
    assert [(e.kind, e.direction) for e in dissected(made)[0]] == [("zeros", FROM_DEVICE), ("frame", TO_DEVICE)]


def test_a_chunk_that_went_neither_way() -> None:
    entries, summary = dissected(Recorded().raw(9, PING).raw(TO_DEVICE, PING))
    assert [(entry.kind, entry.size) for entry in entries] == [("no_direction", len(PING)), ("frame", len(PING))]
    assert summary["bytes"] == 2 * len(PING) and summary["line_bytes"] == len(PING)


def test_long_garbage_is_counted_whole_and_kept_in_part() -> None:
    for made in (Recorded().raw(9, bytes(50_000)), Recorded().raw(TO_DEVICE, b"\x55" * 50_000)):
        entries, _ = dissected(made)
        assert [(entry.size, len(entry.raw)) for entry in entries] == [(50_000, framing.LIMIT)]


def test_a_flag_that_must_be_understood() -> None:
    entries, _ = dissected(Recorded().opened().down(codec.Ping(bytes(8)), 3, flags=0x40))
    assert (entries[-1].kind, entries[-1].notes[0].code) == ("unsupported", "must_understand")
    assert entries[-1].fields["nonce"] == bytes(8), "it is shown all the same"
    low, _ = dissected(Recorded().opened().down(codec.Ping(bytes(8)), 3, flags=0x0E))
    assert low[-1].kind == "frame"


def test_growth_that_must_be_understood() -> None:
    for growth, kind in ((b"\x81\0\0", "unsupported"), (b"\x41\0\0", "frame")):
        hello = codec.Hello(bytes(8), 7, 1, 1, 2000, 512, 7, growth)
        entries, _ = dissected(Recorded().down(hello, session=0))
        assert entries[0].kind == kind


def test_many_zeros_between_many_frames() -> None:
    made = Recorded().raw(TO_DEVICE, b"\0\0a" * 50_000)
    entries, summary = dissected(made)
    assert summary["bytes"] == 150_000 and len(entries) == 100_000
