"""Frames over BLE: however long its packets may be, and whatever happens to one of them."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_service import octets
from vector_calls import call

from plomba_wire import codec
from plomba_wire.fragments import COUNTER, END, LIMIT, MTU_MAX, MTU_MIN, START, Defragmenter, Fragmenter
from plomba_wire.framing import BODY_MAX, OVERHEAD, Frame, frame_bytes

Ask = Callable[[Iterable[str]], list[str]]
Vectors = Callable[[str], Any]
Plain = tuple[int, int, int, int, bytes]

stable = settings(deadline=None, derandomize=True, database=None, max_examples=100)

frames = st.tuples(
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.binary(max_size=60) | st.sampled_from([bytes(1500), octets("long", 1700), b"\xff" * BODY_MAX]),
)
mtus = st.integers(MTU_MIN, MTU_MAX)


def plain(frame: Frame) -> Plain:
    return frame.type, frame.flags, frame.session, frame.tag, frame.body


def joined(packets: Iterable[bytes], into: Defragmenter | None = None) -> list[Plain]:
    """The frames that the packets make."""
    defragmenter = into or Defragmenter()
    return [plain(frame) for frame in map(defragmenter.feed, packets) if frame is not None]


def counts(defragmenter: Defragmenter) -> tuple[int, int, int]:
    return defragmenter.bad, defragmenter.gaps, defragmenter.doubled


def line() -> tuple[list[bytes], list[int], list[Plain]]:
    """The packets of ten frames at MTU 23, the frame that each belongs to, and the frames. The counter wraps twice."""
    lengths = [0, 9, 10, 300, 8, 28, 29, 900, 0, 60]
    sent: list[Plain] = [(0x21, 0, 0x1234, tag, octets(f"body {tag}", length)) for tag, length in enumerate(lengths)]
    fragmenter = Fragmenter()
    packets, owner = [], []
    for tag, frame in enumerate(sent):
        made = fragmenter.split(frame_bytes(*frame))
        packets += made
        owner += [tag] * len(made)
    assert len(packets) > 64
    return packets, owner, sent


# Splitting


@stable
@given(st.lists(st.tuples(mtus, frames), max_size=5))
def test_trap_18_any_mtu_and_a_late_one_give_the_same_frames(sent: list[tuple[int, Plain]]) -> None:
    fragmenter, defragmenter = Fragmenter(), Defragmenter()
    for mtu, frame in sent:
        fragmenter.mtu = mtu
        packets = fragmenter.split(frame_bytes(*frame))
        assert all(2 <= len(packet) <= min(mtu - 3, 512) for packet in packets)
        assert all(len(packet) == min(mtu - 3, 512) for packet in packets[:-1])
        assert [packet[0] & ~COUNTER for packet in packets] == flags(len(packets))
        *before, last = map(defragmenter.feed, packets)
        assert before == [None] * len(before)
        assert last is not None and plain(last) == frame
        assert last.size == sum(map(len, packets))
    assert counts(defragmenter) == (0, 0, 0)


def flags(count: int) -> list[int]:
    return [START * (at == 0) | END * (at == count - 1) for at in range(count)]


def test_trap_18_every_mtu_takes_the_longest_frame() -> None:
    longest: Plain = (0x21, 0, 1, 1, octets("longest", BODY_MAX))
    for mtu in range(MTU_MIN, MTU_MAX + 1):
        packets = Fragmenter(mtu).split(frame_bytes(*longest))
        assert max(map(len, packets)) == min(mtu - 3, 512)
        assert joined(packets) == [longest]


@pytest.mark.parametrize("mtu", [-1, 0, 20, MTU_MIN - 1, MTU_MAX + 1, 65535])
def test_what_no_mtu_can_be(mtu: int) -> None:
    with pytest.raises(ValueError, match=f"MTU {mtu} "):
        Fragmenter(mtu)
    fragmenter = Fragmenter(185)
    with pytest.raises(ValueError, match=f"MTU {mtu} "):
        fragmenter.mtu = mtu
    assert fragmenter.mtu == 185


def test_an_empty_frame_is_nothing() -> None:
    assert Fragmenter().split(b"") == []


def test_the_longest_frame_fits_the_buffer() -> None:
    assert LIMIT == OVERHEAD + BODY_MAX == len(frame_bytes(0, 0, 0, 0, bytes(BODY_MAX)))


def record(length: int) -> bytes:
    """A frame of DATA with one record, body and signature `length` bytes."""
    run = (length - 64).to_bytes(2, "big") + octets("record", length)
    return frame_bytes(codec.Data.TYPE, 0, 1, 1, codec.Data(1, 1, run).pack())


RECORDS = [(23, 224, 13), (185, 164, 1), (185, 165, 2), (185, 224, 2), (247, 224, 1), (247, 226, 1), (247, 227, 2)]
RECORDS += [(247, 512, 3), (517, 494, 1), (517, 495, 2), (517, 512, 2)]


@pytest.mark.parametrize(("mtu", "length", "count"), RECORDS)
def test_how_many_notifications_a_record_takes(mtu: int, length: int, count: int) -> None:
    """At MTU 247 one of 224 bytes takes one, with 2 bytes to spare, and the longest there can be takes three."""
    assert len(Fragmenter(mtu).split(record(length))) == count


def test_a_record_of_224_bytes_is_a_notification_of_242() -> None:
    [packet] = Fragmenter(247).split(record(224))
    assert len(packet) == 1 + 6 + 5 + 2 + 224 + 4 == 242


# The counter


def test_trap_09_the_counter_wraps_from_63_to_0() -> None:
    fragmenter, defragmenter = Fragmenter(), Defragmenter()
    sent: list[Plain] = [(2, 0, 1, tag, b"12345678") for tag in range(130)]
    packets = [packet for frame in sent for packet in fragmenter.split(frame_bytes(*frame))]
    assert [packet[0] & COUNTER for packet in packets] == [at % 64 for at in range(130)]
    assert joined(packets, defragmenter) == sent and counts(defragmenter) == (0, 0, 0)


@pytest.mark.parametrize("phase", range(64))
def test_trap_09_the_counter_wraps_anywhere_in_a_frame(phase: int) -> None:
    fragmenter, defragmenter = Fragmenter(), Defragmenter()
    before: list[Plain] = [(2, 0, 1, tag, b"") for tag in range(phase)]
    long: Plain = (0x21, 0, 1, 1, octets("long", 1500))
    packets = [packet for frame in [*before, long] for packet in fragmenter.split(frame_bytes(*frame))]
    assert joined(packets, defragmenter) == [*before, long] and counts(defragmenter) == (0, 0, 0)


@pytest.mark.parametrize("run", [1, 2, 62, 63, 64, 65, 127, 128])
def test_trap_09_a_run_of_lost_packets_never_makes_a_wrong_frame(run: int) -> None:
    """Not even when the counter comes round to where it was: what fits by its counter the CRC-32 refuses."""
    packets, owner, sent = line()
    packets, owner = packets * 3, [at + 10 * turn for turn in range(3) for at in owner]
    packets = [bytes((packet[0] & ~COUNTER | at & COUNTER,)) + packet[1:] for at, packet in enumerate(packets)]
    for at in range(len(packets) - run):
        hit = set(owner[at : at + run])
        assert joined(packets[:at] + packets[at + run :]) == [sent[n % 10] for n in range(30) if n not in hit], at


def test_the_same_frame_in_the_same_packet_64_packets_later_is_lost() -> None:
    """What the counter cannot tell: 63 packets lost, and behind them the very bytes of the last one that came."""
    defragmenter = Defragmenter()
    [packet] = Fragmenter().split(frame_bytes(2, 0, 1, 1, b""))
    assert len(joined([packet, packet], defragmenter)) == 1 and defragmenter.doubled == 1


# What happens to one packet


@pytest.mark.parametrize("at", range(len(line()[0])))
def test_trap_18_a_lost_packet_costs_its_frame_and_nothing_else(at: int) -> None:
    packets, owner, sent = line()
    defragmenter = Defragmenter()
    found = joined(packets[:at] + packets[at + 1 :], defragmenter)
    assert found == [frame for tag, frame in enumerate(sent) if tag != owner[at]]
    # Nothing shows that the very first or the very last packet is missing, but for a first one's frame without START.
    last = at == len(packets) - 1
    assert counts(defragmenter) == (0, int(at > 0 and not last), 0)


def test_trap_18_the_first_packet_of_a_long_frame_is_lost_before_all_others() -> None:
    packets = Fragmenter().split(frame_bytes(2, 0, 1, 1, bytes(100)))
    defragmenter = Defragmenter()
    assert joined(packets[1:], defragmenter) == [] and counts(defragmenter) == (1, 0, 0)


def test_swapped_neighbours_cost_their_frames_and_make_no_wrong_one() -> None:
    packets, owner, sent = line()
    for at in range(len(packets) - 1):
        swapped = [*packets[:at], packets[at + 1], packets[at], *packets[at + 2 :]]
        defragmenter = Defragmenter()
        found = joined(swapped, defragmenter)
        assert len(set(found)) == len(found) and set(found) <= set(sent)
        assert {frame[3] for frame in sent} - {frame[3] for frame in found} <= {owner[at], owner[at + 1]}
        assert defragmenter.gaps >= 1


def test_any_two_swapped_packets_make_no_wrong_frame() -> None:
    packets, owner, sent = line()
    for one in range(len(packets)):
        for other in range(one + 1, len(packets)):
            swapped = list(packets)
            swapped[one], swapped[other] = packets[other], packets[one]
            found = joined(swapped)
            assert len(set(found)) == len(found) and set(found) <= set(sent)
            # Each of the two may break off, where it comes, the frame of its new place.
            assert {frame[3] for frame in sent} - {frame[3] for frame in found} <= {owner[one], owner[other]} | {
                owner[min(at + 1, len(owner) - 1)] for at in (one, other)
            }


@pytest.mark.parametrize("times", [2, 3])
def test_a_doubled_packet_costs_nothing(times: int) -> None:
    packets, _, sent = line()
    for at in range(len(packets)):
        defragmenter = Defragmenter()
        assert joined(packets[:at] + [packets[at]] * times + packets[at + 1 :], defragmenter) == sent
        assert counts(defragmenter) == (0, 0, times - 1)


def test_trap_18_a_truncated_packet_costs_its_frame_and_nothing_else() -> None:
    """Whatever is left of it."""
    packets, owner, sent = line()
    for at, packet in enumerate(packets):
        for left in range(len(packet)):
            defragmenter = Defragmenter()
            found = joined([*packets[:at], packet[:left], *packets[at + 1 :]], defragmenter)
            assert found == [frame for tag, frame in enumerate(sent) if tag != owner[at]], (at, left)
            assert defragmenter.bad == 1


@pytest.mark.parametrize(("real", "believed"), [(23, 185), (185, 247), (247, 517)])
def test_trap_18_packets_for_an_mtu_that_does_not_hold(real: int, believed: int) -> None:
    """Each is cut off at what does: no frame but those that fit anyway, all the others counted."""
    fragmenter, defragmenter = Fragmenter(believed), Defragmenter()
    sent: list[Plain] = [(0x21, 0, 1, tag, octets(str(tag), 40 * tag)) for tag in range(40)]
    fits = [frame for frame in sent if len(frame_bytes(*frame)) + 1 <= real - 3]
    packets = [packet[: real - 3] for frame in sent for packet in fragmenter.split(frame_bytes(*frame))]
    assert joined(packets, defragmenter) == fits and fits
    assert counts(defragmenter) == (len(sent) - len(fits), 0, 0)
    fragmenter.mtu = real
    assert joined([p for frame in sent for p in fragmenter.split(frame_bytes(*frame))], defragmenter) == sent


def test_a_flipped_bit_makes_no_wrong_frame() -> None:
    packets, _, sent = line()
    for at, packet in enumerate(packets):
        for bit in range(8 * len(packet)):
            flipped = (int.from_bytes(packet, "big") ^ 1 << bit).to_bytes(len(packet), "big")
            rest = iter(sent)
            assert all(frame in rest for frame in joined([*packets[:at], flipped, *packets[at + 1 :]])), (at, bit)


def test_a_new_connection_forgets_what_was_under_way() -> None:
    packets, _, sent = line()
    for at in range(len(packets)):
        defragmenter = Defragmenter()
        before = joined(packets[:at], defragmenter)
        defragmenter.reset()
        assert joined(packets, defragmenter) == sent and before == sent[: len(before)]
        assert counts(defragmenter) == (0, 0, 0)


# Packets from anybody

heads = st.integers(0, 255)
hostile = st.lists(
    st.builds(lambda head, rest: bytes((head,)) + rest, heads, st.binary(max_size=40)) | st.binary(max_size=3)
)


@stable
@given(hostile | st.lists(st.builds(bytes, st.sampled_from([0, 1, 2, 511, 512, 513, 5000]))), st.integers(0, 200))
def test_hostile_packets_are_counted_and_the_next_frame_arrives(packets: list[bytes], limit: int) -> None:
    defragmenter = Defragmenter(limit)
    for packet in packets:
        defragmenter.feed(packet)
    assert sum(counts(defragmenter)) <= 2 * len(packets)
    good: Plain = (2, 0, 1, 1, b"12345678")
    # Its counter is the one behind what came last, or makes a gap: it starts a frame all the same.
    assert joined(Fragmenter().split(frame_bytes(*good)), defragmenter) == ([good] if limit >= 18 else [])


def test_packets_without_end_take_no_memory() -> None:
    random = Random(18)
    packets = [random.randbytes(random.randrange(600)) for _ in range(5000)]
    endless = [bytes((at & COUNTER | START * (at == 0),)) + bytes(511) for at in range(5000)]
    defragmenter = Defragmenter()
    gc.collect()
    tracemalloc.start()
    assert joined(packets, defragmenter) == joined(endless, defragmenter) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * LIMIT


@pytest.mark.parametrize("length", [2, 20, 244, 512])
def test_a_frame_without_end_is_one_bad_frame(ask: Ask, length: int) -> None:
    """The next one arrives, and a board's heap has not grown by more than a few words."""
    [answer] = ask([f"packet_flood 5000 {length}"])
    bad, found, growth = map(int, answer.split())
    assert (bad, found) == (1, 1)
    assert growth <= 64


# Golden vectors


def test_split_vectors(ask: Ask, vectors: Vectors) -> None:
    cases = vectors("fragments")["split"]
    calls = [
        call("split", *(value for step in case["steps"] for value in (step["mtu"], step["frame"]))) for case in cases
    ]
    expected = [" ".join(f"x{packet}" for step in case["steps"] for packet in step["packets"]) for case in cases]
    assert dict(zip(names(cases), ask(calls), strict=True)) == dict(zip(names(cases), expected, strict=True))


def test_stream_vectors(ask: Ask, vectors: Vectors) -> None:
    cases = vectors("fragments")["streams"]
    calls = [call("join", *(0 if packet is None else packet for packet in case["packets"])) for case in cases]
    found = dict(zip(names(cases), map(_without_sizes, ask(calls)), strict=True))
    assert found == {case["name"]: _expected(case) for case in cases}


def names(cases: list[dict[str, Any]]) -> list[str]:
    found = [case["name"] for case in cases]
    assert len(set(found)) == len(found) >= 15
    return found


def _expected(case: dict[str, Any]) -> str:
    words = [case["bad"], case["gaps"], case["doubled"]]
    for frame in case["frames"]:
        words += [frame["type"], frame["flags"], frame["session"], frame["tag"], f"x{frame['body']}"]
    return " ".join(map(str, words))


def _without_sizes(answer: str) -> str:
    """The three counts, and each frame without its last word."""
    words = answer.split()
    return " ".join(word for at, word in enumerate(words) if at < 3 or (at - 2) % 6)
