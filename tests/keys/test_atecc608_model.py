"""The model of the ATECC608B against bytes that were seen on real buses, and against what its data sheets say."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from plomba.sim import atecc608_packets as packets
from plomba.sim.atecc608 import ADDRESS, Atecc608, BusDead, Fault
from plomba.sim.atecc608_memory import COUNTER_LIMIT
from plomba.sim.atecc608_packets import command, group

AWAKE = bytes.fromhex("04 11 33 43")
SLOTS = bytes.fromhex("81 20") + bytes.fromhex("8F 8F") * 15
DIGEST = bytes(range(32))

COMMANDS = {
    # helium/gateway-mfr-rs issue 16, a trace of cryptoauthlib on an ATECC608A.
    "info": (command(packets.INFO), "07 30 00 00 00 03 5D"),
    # sigrok and others send Random in these bytes.
    "random": (command(packets.RANDOM), "07 1B 00 00 00 24 CD"),
    # Reads of the configuration zone in many drivers: blocks 0 and 1, words 16 and 17.
    "block 0": (command(packets.READ, 0x80, 0x00), "07 02 80 00 00 09 AD"),
    "block 1": (command(packets.READ, 0x80, 0x08), "07 02 80 08 00 0A 4D"),
    "word 16": (command(packets.READ, 0x00, 0x10), "07 02 00 10 00 1D 9D"),
    "word 17": (command(packets.READ, 0x00, 0x11), "07 02 00 11 00 14 1D"),
    # A MAC command in a handshake somebody recorded: the CRC of an opcode that the model has not.
    "mac": (command(0x08, 0x41), "07 08 41 00 00 2D E7"),
}
ANSWERS = {
    # cryptoauthlib, hal_check_wake.
    "awake": (group(b"\x11"), "04 11 33 43"),
    # helium/gateway-mfr-rs issue 16: an ATECC608A.
    "info": (group(bytes.fromhex("00 00 60 02")), "07 00 00 60 02 80 38"),
    # cryptoauthlib issue 51: the first block of a blank ATECC608A.
    "block 0": (
        group(
            bytes.fromhex(
                "01 23 88 05 00 00 60 02 81 97 BA F6 EE 01 5D 00 C0 00 00 00 83 20 87 20 8F 20 C4 8F 8F 8F 8F 8F"
            )
        ),
        "23 01 23 88 05 00 00 60 02 81 97 BA F6 EE 01 5D 00 C0 00 00 00 83 20 87 20 8F 20 C4 8F 8F 8F 8F 8F 90 A8",
    ),
}


class Host:
    """Transfers to a chip, and a clock."""

    def __init__(self, chip: Atecc608 | None = None) -> None:
        self.chip = chip or Atecc608()
        self.now = 50.0

    def wake(self) -> bytes | None:
        self.chip.write(0, b"\x00", self.now)
        self.now += 0.002
        return self.chip.read(ADDRESS, 4, self.now)

    def send(self, packet: bytes) -> bool:
        return self.chip.write(ADDRESS, b"\x03" + packet, self.now)

    def ask(self, opcode: int, p1: int = 0, p2: int = 0, data: bytes = b"") -> bytes:
        """The payload of the answer, from wake to idle."""
        assert self.wake() == AWAKE
        assert self.send(command(opcode, p1, p2, data))
        self.now += packets.MAX_MS.get(opcode, 0) / 1000 + 0.001
        answer = self.chip.read(ADDRESS, 80, self.now)
        assert answer is not None and packets.crc16(answer[: answer[0] - 2]) == answer[answer[0] - 2 : answer[0]]
        self.chip.write(ADDRESS, b"\x02", self.now)
        return answer[1 : answer[0] - 2]

    def configure(self) -> None:
        """Slot 0 for a signing key, the others closed; the configuration is locked."""
        for at in range(20, 52, 4):
            assert self.ask(packets.WRITE, 0, at // 4, SLOTS[at - 20 : at - 16]) == b"\x00"
        assert self.ask(packets.LOCK, 0x80) == b"\x00"


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def configured() -> Host:
    host = Host()
    host.configure()
    return host


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_the_bytes_that_others_send(name: str) -> None:
    built, seen = COMMANDS[name]
    assert built == bytes.fromhex(seen)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_the_bytes_that_others_saw(name: str) -> None:
    built, seen = ANSWERS[name]
    assert built == bytes.fromhex(seen)


def test_a_blank_chip_says_who_it_is(host: Host) -> None:
    assert host.ask(packets.INFO) == bytes.fromhex("00 00 60 03")
    block = host.ask(packets.READ, 0x80, 0)
    assert block[:2] == b"\x01\x23" and block[12:13] == b"\xee" and block[16:17] == b"\xc0"
    assert host.ask(packets.READ, 0, 84 // 4) == bytes.fromhex("00 00 55 55"), "nothing is locked"
    assert host.ask(packets.RANDOM) == bytes.fromhex("FFFF0000") * 8, "as long as that is so"


def test_a_sleeping_chip_hears_only_the_pulse(host: Host) -> None:
    assert not host.send(command(packets.INFO))
    assert host.chip.read(ADDRESS, 4, host.now) is None
    assert not host.chip.write(0, b"\x00", host.now), "nobody acknowledges address 0"
    assert host.chip.read(ADDRESS, 4, host.now + 0.001) is None, "not within 1.5 ms"
    assert host.chip.read(ADDRESS, 4, host.now + 0.002) == AWAKE
    assert not host.chip.write(0x61, b"\x00", host.now + 0.002)


def test_a_pulse_to_a_chip_that_is_awake_is_ignored(host: Host) -> None:
    host.wake()
    host.send(command(packets.INFO))
    host.now += 0.006
    assert host.wake() == bytes.fromhex("07 00 00 60"), "its answer, and not the wake status"


def test_a_busy_chip_does_not_acknowledge_and_its_answer_can_be_read_twice(host: Host) -> None:
    host.wake()
    host.send(command(packets.INFO))
    assert host.chip.read(ADDRESS, 7, host.now + 0.0049) is None
    host.now += 0.0051
    whole = group(bytes.fromhex("00 00 60 03"))
    assert host.chip.read(ADDRESS, 3, host.now) == whole[:3]
    assert host.chip.read(ADDRESS, 9, host.now) == whole[3:] + b"\xff" * 5, "from where the last read ended"
    host.chip.write(ADDRESS, b"\x00", host.now)
    assert host.chip.read(ADDRESS, 7, host.now) == whole


def test_half_a_command_and_a_command_with_a_wrong_bit(host: Host) -> None:
    host.wake()
    packet = command(packets.INFO)
    host.send(packet[:-1])
    assert host.chip.read(ADDRESS, 4, host.now + 1) is None
    host.chip.write(ADDRESS, b"\x00", host.now + 1)
    host.send(packet[:-1] + bytes([packet[-1] ^ 1]))
    assert host.chip.read(ADDRESS, 4, host.now + 1) == group(b"\xff")


def test_an_unknown_opcode_and_a_wrong_length_are_parse_errors(host: Host) -> None:
    assert host.ask(0x99) == b"\x03"
    assert host.ask(packets.INFO, 0, 0, b"\x00") == b"\x03"
    assert host.ask(packets.WRITE, 0, 5, b"\x00" * 3) == b"\x03"


def test_the_watchdog_puts_it_to_sleep_and_the_digest_is_lost(configured: Host) -> None:
    host = configured
    host.ask(packets.GENKEY, 0x04, 0)
    host.wake()
    host.send(command(packets.NONCE, 0x43, 0, DIGEST))
    host.now += 1.31
    assert host.chip.read(ADDRESS, 4, host.now) is None
    assert host.ask(packets.SIGN, 0xA0) == b"\x0f"


def test_idle_stops_the_watchdog_and_keeps_the_digest_and_sleep_does_not(configured: Host) -> None:
    host = configured
    host.ask(packets.GENKEY, 0x04, 0)
    assert host.ask(packets.NONCE, 0x43, 0, DIGEST) == b"\x00"
    host.now += 3600
    assert len(host.ask(packets.SIGN, 0xA0)) == 64
    host.ask(packets.NONCE, 0x43, 0, DIGEST)
    host.wake()
    host.chip.write(ADDRESS, b"\x01", host.now)
    assert host.ask(packets.SIGN, 0xA0) == b"\x0f"


def test_what_may_be_written_and_until_when(host: Host) -> None:
    assert host.ask(packets.WRITE, 0, 3, b"\x00" * 4) == b"\x0f", "the serial number"
    assert host.ask(packets.WRITE, 0, 84 // 4, b"\x00" * 4) == b"\x0f", "the lock bytes"
    assert host.ask(packets.WRITE, 0x80, 0, b"\x00" * 32) == b"\x0f", "a block with the serial number in it"
    assert host.ask(packets.WRITE, 0x80, 24, b"\x33\x00" * 16) == b"\x00"
    assert host.ask(packets.WRITE, 0, 5, SLOTS[:4]) == b"\x00"
    assert host.ask(packets.READ, 0, 5) == SLOTS[:4]
    assert host.ask(packets.COUNTER) == b"\x0f"
    assert host.ask(packets.GENKEY, 0x04, 0) == b"\x0f"
    assert host.ask(packets.LOCK, 0x81) == b"\x0f", "not before the configuration"
    zone = b"".join(host.ask(packets.READ, 0x80, block << 3) for block in range(4))
    right = int.from_bytes(packets.crc16(zone), "little")
    assert host.ask(packets.LOCK, 0x00, right ^ 1) == b"\x0f"
    assert host.ask(packets.LOCK, 0x00, right) == b"\x00"
    assert host.ask(packets.LOCK, 0x00, right) == b"\x0f", "once"
    assert host.ask(packets.WRITE, 0, 5, SLOTS[:4]) == b"\x0f"
    assert host.ask(packets.READ, 0, 84 // 4) == bytes.fromhex("00 00 55 00")
    assert host.ask(packets.RANDOM) not in (bytes.fromhex("FFFF0000") * 8, host.ask(packets.RANDOM))


def test_a_key_is_made_read_used_and_locked(configured: Host) -> None:
    host = configured
    assert host.ask(packets.GENKEY, 0x00, 0) == b"\x0f", "no key yet"
    assert host.ask(packets.INFO, 0x01, 0) == bytes(4)
    first = host.ask(packets.GENKEY, 0x04, 0)
    assert host.ask(packets.GENKEY, 0x00, 0) == first and len(first) == 64
    assert host.ask(packets.INFO, 0x01, 0) == b"\x01\x00\x00\x00"
    public = host.ask(packets.GENKEY, 0x04, 0)
    assert public != first
    assert host.ask(packets.GENKEY, 0x04, 1) == b"\x0f", "closed by its configuration"
    assert host.ask(packets.LOCK, 0x81) == b"\x00"
    assert host.ask(packets.LOCK, 0x02 | 3 << 2) == b"\x0f", "not lockable"
    assert host.ask(packets.LOCK, 0x02) == b"\x00"
    assert host.ask(packets.GENKEY, 0x04, 0) == b"\x0f"
    assert host.ask(packets.READ, 0, 88 // 4) == bytes.fromhex("FE FF 00 00")
    host.ask(packets.NONCE, 0x43, 0, DIGEST)
    signature = host.ask(packets.SIGN, 0xA0)
    host.ask(packets.NONCE, 0x03, 0, DIGEST)
    assert host.ask(packets.VERIFY, 0x02, 4, signature + public) == b"\x00"
    host.ask(packets.NONCE, 0x03, 0, DIGEST)
    assert host.ask(packets.VERIFY, 0x02, 4, signature + first) == b"\x01"
    assert host.ask(packets.VERIFY, 0x02, 4, signature + public) == b"\x0f", "nothing loaded"


def test_counters_count_on_and_end(configured: Host) -> None:
    host = configured
    assert [host.ask(packets.COUNTER, mode, 1) for mode in (0, 1, 1, 0)] == [
        bytes([count, 0, 0, 0]) for count in (0, 1, 2, 2)
    ]
    host.chip.memory.counters[0] = COUNTER_LIMIT - 1
    assert host.ask(packets.COUNTER, 1, 0) == (2_097_151).to_bytes(4, "little")
    assert host.ask(packets.COUNTER, 1, 0) == b"\x0f"
    assert host.ask(packets.COUNTER, 0, 0) == (2_097_151).to_bytes(4, "little")


def test_a_failed_self_test_closes_all_but_the_configuration_until_the_next_wake(configured: Host) -> None:
    host = configured
    assert host.ask(packets.SELFTEST, 0x3B) == b"\x00"
    host.chip.script(Fault.SELF_TEST)
    host.wake()
    for opcode, payload in ((packets.SELFTEST, b"\x02"), (packets.RANDOM, b"\x07")):
        host.send(command(opcode, 0x3B if opcode == packets.SELFTEST else 0))
        host.now += 0.26
        host.chip.write(ADDRESS, b"\x00", host.now)
        assert host.chip.read(ADDRESS, 4, host.now) == group(payload)
    host.send(command(packets.READ, 0, 0))
    host.now += 0.01
    assert host.chip.read(ADDRESS, 7, host.now) == group(bytes.fromhex("01 23 88 05"))
    host.chip.write(ADDRESS, b"\x02", host.now)
    assert len(host.ask(packets.RANDOM)) == 32


def test_eeprom_outlives_power_and_ram_does_not(tmp_path: Path) -> None:
    host = Host(Atecc608(tmp_path / "chip.json"))
    host.configure()
    public = host.ask(packets.GENKEY, 0x04, 0)
    host.ask(packets.COUNTER, 1, 0)
    host.ask(packets.NONCE, 0x43, 0, DIGEST)
    host.chip.power_off()
    assert host.wake() is None
    host.chip.power_on()
    assert host.ask(packets.SIGN, 0xA0) == b"\x0f"
    again = Host(Atecc608(tmp_path / "chip.json"))
    assert again.ask(packets.GENKEY, 0x00, 0) == public
    assert again.ask(packets.COUNTER, 0, 0) == b"\x01\x00\x00\x00"
    assert again.chip.memory.config == host.chip.memory.config


def test_faults_of_the_bus(host: Host) -> None:
    chip = host.chip
    host.wake()
    chip.script(Fault.DEAD, times=2)
    host.send(command(packets.INFO))
    for _ in range(2):
        with pytest.raises(BusDead):
            chip.read(ADDRESS, 7, host.now + 0.01)
    host.now += 0.02
    whole = group(bytes.fromhex("00 00 60 03"))
    for fault, seen in ((Fault.BAD_CRC, whole[:1] + b"\x04" + whole[2:]), (Fault.ALL_FF, b"\xff" * 7)):
        chip.script(fault)
        chip.write(ADDRESS, b"\x00", host.now)
        assert chip.read(ADDRESS, 7, host.now) == seen
        chip.write(ADDRESS, b"\x00", host.now)
        assert chip.read(ADDRESS, 7, host.now) == whole, "the answer itself is sound"
    chip.script(Fault.ABSENT, inf)
    assert chip.read(ADDRESS, 7, host.now) is None and not host.send(command(packets.INFO))
