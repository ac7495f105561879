"""Frames on a byte stream: however it is cut, and whatever happens to one byte of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_service import octets

from plomba_wire import framing
from plomba_wire.codec import Malformed
from plomba_wire.framing import (
    BODY_MAX,
    LIMIT,
    OVERHEAD,
    Deframer,
    cobs_decode,
    cobs_decode_in_one_buffer,
    cobs_encode,
    encode,
)

Ask = Callable[[Iterable[str]], list[str]]
Plain = tuple[int, int, int, int, bytes]

stable = settings(deadline=None, derandomize=True, database=None, max_examples=100)


def plain(frame: framing.Frame) -> Plain:
    return frame.type, frame.flags, frame.session, frame.tag, frame.body


runs = [bytes(300), b"\xff" * 300, bytes(range(256)) * 2, b"\1" * 243, b"\1" * 244]
frames = st.tuples(
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.binary(max_size=40) | st.sampled_from(runs),
)


@stable
@given(st.binary(max_size=600) | st.lists(st.sampled_from([b"\0", b"\1" * 253, b"\1" * 254, b"\xff"])).map(b"".join))
def test_cobs_there_and_back(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert encoded[-1] == 0 and 0 not in encoded[:-1]
    assert len(data) + 2 <= len(encoded) <= len(data) + 2 + len(data) // 254
    assert cobs_decode(encoded[:-1]) == data


@stable
@given(st.lists(st.integers(1, 255) | st.integers(1, 4), max_size=300).map(bytes))
def test_cobs_reads_anything_or_says_malformed(data: bytes) -> None:
    """Bytes without a zero, as a deframer gives them: what it reads it would write the same, but for a last 01."""
    try:
        found = cobs_decode(data)
    except Malformed:
        return
    assert len(found) <= len(data)
    assert cobs_encode(found)[:-1] in (data, data + b"\1")


@stable
@given(st.lists(st.integers(1, 255) | st.sampled_from([1, 2, 254, 255]), max_size=900).map(bytes))
@example(b"\xff" + bytes(range(1, 255)) + b"\xff" + bytes(range(1, 255)))
@example(b"\xff" + bytes(range(1, 255)) + b"\1\2a")
def test_both_decoders_of_cobs_read_alike(data: bytes) -> None:
    """CPython's own and the one that a board runs, on anything that a deframer can hand on."""

    def found(decode: Callable[[bytes], bytes]) -> bytes | None:
        try:
            return decode(data)
        except Malformed:
            return None

    assert found(cobs_decode) == found(cobs_decode_in_one_buffer)


@stable
@given(st.lists(frames, max_size=6), st.data())
def test_trap_05_any_chunking_gives_the_same_frames(sent: list[Plain], data: st.DataObject) -> None:
    stream = b"".join(encode(*frame) for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    deframer = Deframer()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += deframer.feed(stream[start:end])
    assert [plain(frame) for frame in found] == sent
    assert [frame.size for frame in found] == [len(encode(*frame)) for frame in sent]
    assert deframer.bad == 0


def test_a_byte_at_a_time() -> None:
    stream, sent = recorded()
    deframer = Deframer()
    found = [frame for at in range(len(stream)) for frame in deframer.feed(stream[at : at + 1])]
    assert [plain(frame) for frame in found] == sent and deframer.bad == 0


def recorded() -> tuple[bytes, list[Plain]]:
    """A stream of fourteen frames of all sorts and their content."""
    bodies = [b"", b"\0", bytes(30), b"\xff" * 60, octets("long", 270), *(octets(f"body {n}", 7 * n) for n in range(9))]
    sent = [(0x21, 0, 0x1234, tag, body) for tag, body in enumerate(bodies)]
    return b"".join(encode(*frame) for frame in sent), sent


def dropped(stream: bytes, at: int) -> Iterator[bytes]:
    yield stream[:at] + stream[at + 1 :]


def flipped(stream: bytes, at: int) -> Iterator[bytes]:
    """Every single bit, all of them, and whatever makes it a delimiter."""
    for bits in (*(1 << bit for bit in range(8)), 0xFF, stream[at]):
        yield stream[:at] + bytes((stream[at] ^ bits,)) + stream[at + 1 :]


def duplicated(stream: bytes, at: int) -> Iterator[bytes]:
    yield stream[: at + 1] + stream[at:]


@pytest.mark.parametrize("damage", [dropped, flipped, duplicated])
def test_trap_04_one_byte_costs_two_frames_at_most(damage: Callable[[bytes, int], Iterator[bytes]]) -> None:
    """And none arrives that was not sent, or out of order, or twice; what is lost is counted."""
    stream, sent = recorded()
    dearest = 0
    for at in range(len(stream)):
        for damaged in damage(stream, at):
            if damaged == stream:
                continue
            deframer = Deframer()
            found = [plain(frame) for frame in deframer.feed(damaged)]
            rest = iter(sent)
            assert all(frame in rest for frame in found), at
            lost = len(sent) - len(found)
            # The last frame is still open when its delimiter is gone.
            ended = damaged.endswith(b"\0")
            assert lost <= 2 and (deframer.bad >= 1 or not lost or not ended), at
            dearest = max(dearest, lost)
    assert dearest == (1 if damage is duplicated else 2)


def test_noise_between_frames_costs_no_frame() -> None:
    """Bytes that end in a delimiter are dropped by themselves."""
    random = Random(7)
    _, sent = recorded()
    stream = b"".join(random.randbytes(random.randrange(40)) + b"\0" + encode(*frame) for frame in sent)
    deframer = Deframer()
    assert [plain(frame) for frame in deframer.feed(stream)] == sent
    assert deframer.bad >= 10


@pytest.mark.parametrize("byte", [0x01, 0x55, 0xFF])
def test_trap_08_a_megabyte_without_delimiter(ask: Ask, byte: int) -> None:
    """It is one bad frame, the next one arrives, and the heap has grown by no more than the buffer."""
    [answer] = ask([f"flood {1 << 20} 1024 {byte}"])
    bad, found, growth = map(int, answer.split())
    assert (bad, found) == (1, 1)
    assert growth <= 2 * LIMIT


def test_trap_08_a_megabyte_in_one_piece_takes_no_memory_of_its_own() -> None:
    flood = b"\x55" * (1 << 20)
    deframer = Deframer()
    tracemalloc.start()
    deframer.feed(flood)
    deframer.feed(flood)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert deframer.bad == 1
    assert peak < 4 * LIMIT


@pytest.mark.parametrize("body", [bytes, lambda length: b"\xff" * length, lambda length: octets("body", length)])
def test_the_longest_body(body: Callable[[int], bytes]) -> None:
    deframer = Deframer()
    [frame] = deframer.feed(encode(0x21, 0, 1, 1, body(BODY_MAX)))
    assert frame.body == body(BODY_MAX) and frame.size <= LIMIT + 1
    assert deframer.feed(encode(0x21, 0, 1, 1, body(BODY_MAX + 1))) == []
    assert deframer.bad == 1


def test_limit_holds_every_body_that_may_come() -> None:
    longest = OVERHEAD + BODY_MAX
    assert len(cobs_encode(b"\1" * longest)) - 1 <= LIMIT
