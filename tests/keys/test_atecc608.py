"""Signatures of the secure element are valid, low, never of one nonce twice, and when it fails nothing leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest
from chip_bench import DIGEST, Desk, check

from plomba.sim import atecc608_packets as packets
from plomba.sim.atecc608 import Fault
from plomba.sim.atecc608_memory import COUNTER_LIMIT
from plomba_wire.vocabulary import Check, Protection
from terminal import selftest
from terminal.keys import entropy
from terminal.keys.atecc608 import Packet, crc16
from terminal.keys.signer import ChipFailure, KeyMismatch

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_packets_are_what_the_model_takes_for_a_command() -> None:
    packet = Packet()
    for opcode, p1, p2, data in (
        (0x30, 0, 0, b""),
        (0x16, 0x43, 0, DIGEST),
        (0x02, 0x80, 0x1A0B, b""),
        (0x12, 0, 5, b"1234"),
    ):
        packet.build(opcode, p1, p2, data)
        assert bytes(packet.view) == b"\x03" + packets.command(opcode, p1, p2, data)
    assert crc16(bytes.fromhex("07 30 00 00 00")) == 0x5D03
    assert crc16(bytes.fromhex("04 11")) == 0x4333


def test_two_hundred_signatures(desk: Desk) -> None:
    signer = desk.signer()
    assert signer.protection == Protection.CHIP and len(signer.public) == 64
    seen = set()
    for number in range(200):
        digest = hashlib.sha256(bytes([number])).digest()
        r, s = check(signer.public, digest, signer.sign(digest))
        assert s <= N // 2
        seen.add(r)
    assert len(seen) == 200
    assert (signer.chip.repeats, signer.glitches) == (0, 0)


def test_the_same_digest_twice_is_two_signatures(desk: Desk) -> None:
    signer = desk.signer()
    assert signer.sign(DIGEST)[:32] != signer.sign(DIGEST)[:32]


def test_it_waits_for_the_chip_and_not_by_the_clock(desk: Desk) -> None:
    """A chip ten times as fast is done almost ten times as soon."""
    took = []
    signer = desk.signer()
    for hurry in (1.0, 10.0):
        desk.chip._hurry = hurry
        began = desk.now
        signer.sign(DIGEST)
        took.append(desk.now - began)
    assert desk.longest_sleep <= 2
    assert 0.158 < took[0] < 0.185
    assert took[1] < 0.04


def test_the_chip_is_left_idle_between_commands(desk: Desk) -> None:
    signer = desk.signer()
    desk.now += 3600
    signer.sign(DIGEST)
    assert signer.chip.repeats == 0


def test_a_chip_that_was_left_awake_or_at_work_is_found(desk: Desk) -> None:
    """The board was reset in the middle of a command; the chip was not."""
    desk.signer()
    desk.chip.write(0, b"\x00", desk.now)
    desk.now += 0.002
    desk.chip.write(0x60, b"\x03" + packets.command(packets.SELFTEST, 0x3B), desk.now)
    check(desk.signer().public, DIGEST, desk.signer().sign(DIGEST))


PASSING: dict[str, Callable[[Desk], None]] = {
    "an answer with a flipped bit": lambda desk: desk.chip.script(Fault.BAD_CRC, 1),
    "answers with a flipped bit, again and again": lambda desk: desk.chip.script(Fault.BAD_CRC, 4),
    "an answer of FF": lambda desk: desk.chip.script(Fault.ALL_FF, 1),
    "a command with a flipped bit": lambda desk: desk.chip.script(Fault.DEAF, 2),
    "not there for a moment": lambda desk: desk.chip.script(Fault.ABSENT, 5),
    "a line held in the middle of Sign": lambda desk: desk.chip.script(Fault.DEAD, 8, packets.SIGN),
    "a line held in the middle of Nonce": lambda desk: desk.chip.script(Fault.DEAD, 3, packets.NONCE),
    "Sign fails once": lambda desk: desk.chip.script(Fault.SIGN_FAILS, 1),
    "a flipped bit in a signature": lambda desk: desk.chip.script(Fault.SIGNATURE_FLIPS, 1),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_survived_and_counted(desk: Desk, name: str) -> None:
    signer = desk.signer()
    PASSING[name](desk)
    check(signer.public, DIGEST, signer.sign(DIGEST))
    assert signer.chip.repeats + signer.glitches > 0
    signer.sign(DIGEST)


LASTING: dict[str, tuple[Callable[[Desk], None], str]] = {
    "absent": (lambda desk: desk.chip.script(Fault.ABSENT, inf), "absent"),
    "without power": (lambda desk: desk.chip.power_off(), "absent"),
    "a line held": (lambda desk: desk.chip.script(Fault.DEAD, inf, packets.NONCE), "busy"),
    "a line held in Sign": (lambda desk: desk.chip.script(Fault.DEAD, inf, packets.SIGN), "busy"),
    "Sign never ends": (lambda desk: desk.chip.script(Fault.HANGS, inf, packets.SIGN), "busy"),
    "flipped bits": (lambda desk: desk.chip.script(Fault.BAD_CRC, inf), "crc"),
    "all FF": (lambda desk: desk.chip.script(Fault.ALL_FF, inf), "crc"),
    "commands with flipped bits": (lambda desk: desk.chip.script(Fault.DEAF, inf), "crc"),
    "Sign fails": (lambda desk: desk.chip.script(Fault.SIGN_FAILS, inf), "execution"),
    "signatures with a flipped bit": (lambda desk: desk.chip.script(Fault.SIGNATURE_FLIPS, inf), "signature"),
    "a stuck random generator": (lambda desk: desk.chip.script(Fault.STUCK, inf), "entropy"),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_a_failure_with_a_name_in_bounded_time(desk: Desk, name: str) -> None:
    signer = desk.signer()
    fault, code = LASTING[name]
    fault(desk)
    began = desk.now
    with pytest.raises(ChipFailure) as caught:
        signer.sign(DIGEST)
    assert caught.value.code == code and str(caught.value).endswith("secure element: " + code)
    assert isinstance(caught.value, OSError)
    assert desk.now - began < 3.0


def test_a_start_that_fails_is_said_for_what_it_is() -> None:
    for error, failed in (
        (ChipFailure("absent"), Check.CHIP_FAILED),
        (KeyMismatch("another chip"), Check.KEY_DAMAGED),
        (entropy.EntropyFailure("one value repeats"), Check.NO_ENTROPY),
        (OSError(5), Check.MEMORY_FAILED),
        (ValueError("a fault of the firmware"), 0),
    ):
        assert selftest.stops(error) == failed


@pytest.mark.parametrize("fault", [Fault.STUCK, Fault.SIGN_FAILS, Fault.SIGNATURE_FLIPS, Fault.BAD_CRC])
def test_a_chip_that_recovers_signs_again(desk: Desk, fault: Fault) -> None:
    signer = desk.signer()
    desk.chip.script(fault, inf)
    with pytest.raises(ChipFailure):
        signer.sign(DIGEST)
    desk.chip.script(fault, 0)
    check(signer.public, DIGEST, signer.sign(DIGEST))


def test_a_stuck_random_generator_makes_no_key(desk: Desk) -> None:
    desk.chip.script(Fault.STUCK, inf)
    for _ in range(2):
        with pytest.raises(ChipFailure, match="entropy"):
            desk.restart()
    assert packets.GENKEY not in desk.chip.done and desk.chip.memory.keys == {}
    desk.chip.script(Fault.STUCK, 0)
    desk.restart()


def test_a_random_generator_that_sticks_later_signs_nothing(desk: Desk) -> None:
    signer = desk.signer()
    signer.sign(DIGEST)
    before = desk.chip.done.count(packets.SIGN)
    desk.chip.script(Fault.STUCK, inf)
    for _ in range(3):
        with pytest.raises(ChipFailure, match="entropy"):
            signer.sign(DIGEST)
    assert desk.chip.done.count(packets.SIGN) <= before + 1


def test_a_chip_that_finds_itself_broken_is_not_used(desk: Desk) -> None:
    desk.chip.script(Fault.SELF_TEST, inf)
    with pytest.raises(ChipFailure, match="self-test"):
        desk.signer()
    assert desk.chip.memory.keys == {}


def test_an_answer_is_read_again_before_a_command_is_sent_again(desk: Desk) -> None:
    """A count is a count: a flipped bit in its answer must not make it two."""
    signer = desk.signer()
    desk.chip.script(Fault.BAD_CRC, 2, packets.COUNTER)
    assert signer.chip.count() == 2 == signer.chip.counted()
    assert signer.chip.repeats == 2


def test_each_start_is_counted_and_the_end_of_the_counter_is_no_end(desk: Desk) -> None:
    assert [desk.restart().counter() for _ in range(3)] == [1, 2, 3]
    desk.chip.memory.counters[0] = COUNTER_LIMIT - 1
    assert [desk.restart().counter() for _ in range(3)] == [COUNTER_LIMIT] * 3
    assert desk.chip.memory.counters[1] == 0
