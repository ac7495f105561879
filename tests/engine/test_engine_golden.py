"""The published frames of the GM65 class, byte for byte: what the host sends and what the engine says."""

from __future__ import annotations

import pytest

DONE = "02 00 00 01 00 33 31"

READS = {
    "register 00 after D1 was written": ({0x00: 0xD1}, "7E 00 07 01 00 00 01 01 41", "02 00 00 01 D1 E8 6D"),
    "model": ({}, "7E 00 07 01 00 E0 01 11 F3", "02 00 00 01 05 63 94"),
    "software version": ({}, "7E 00 07 01 00 E2 01 77 91", "02 00 00 01 69 CE BE"),
    "register 0A, the manual's example": (
        {0x0A: 0x3E},
        "7E 00 07 01 00 0A 01 EE 8A",
        "02 00 00 01 3E E4 AC",
    ),
    "baud, 9600": ({}, "7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 39 01 C1 4C"),
    "setup codes": ({}, "7E 00 07 01 00 03 01 54 12", DONE),
    "output port": ({}, "7E 00 07 01 00 0D 01 77 1D", DONE),
}

READS_OF_ONE = {
    "symbology set": ("7E 00 07 01 00 2C 01 42 CA", 0x2C),
    "QR switch": ("7E 00 07 01 00 3F 01 14 EA", 0x3F),
    "format": ("7E 00 07 01 00 60 01 0A 6B", 0x60),
}

WRITES = {
    "mode D1": ("7E 00 08 01 00 00 D1 AF C5", 0x00, "D1"),
    "setup codes off": ("7E 00 08 01 00 03 02 01 88", 0x03, "02"),
    "single timeout 5 s": ("7E 00 08 01 00 06 32 C8 2E", 0x06, "32"),
    "no timeout": ("7E 00 08 01 00 06 00 DE 3F", 0x06, "00"),
    "interval 500 ms": ("7E 00 08 01 00 05 05 DB C9", 0x05, "05"),
    "serial output": ("7E 00 08 01 00 0D 00 02 C5", 0x0D, "00"),
    "same-code delay": ("7E 00 08 01 00 13 85 E3 94", 0x13, "85"),
    "2C = 01": ("7E 00 08 01 00 2C 01 27 33", 0x2C, "01"),
    "360 degrees and the default set": ("7E 00 08 01 00 2C 05 67 B7", 0x2C, "05"),
    "QR on": ("7E 00 08 01 00 3F 01 71 13", 0x3F, "01"),
    "Code 128 on": ("7E 00 08 01 00 33 01 34 7E", 0x33, "01"),
    "EAN-13 on": ("7E 00 08 01 00 2E 01 41 51", 0x2E, "01"),
    "Data Matrix on": ("7E 00 08 01 00 54 01 A6 C3", 0x54, "01"),
    "tail CR LF": ("7E 00 08 01 00 60 21 4B F0", 0x60, "21"),
    "tail CR LF and code id": ("7E 00 08 01 00 60 25 0B 74", 0x60, "25"),
    "raw": ("7E 00 08 01 00 BC 08 AE F1", 0xBC, "08"),
    "stop": ("7E 00 08 01 00 02 00 12 FB", 0x02, "00"),
}

ALL_HOST_FRAMES = [
    *(frame for _, frame, _ in READS.values()),
    *(frame for frame, _ in READS_OF_ONE.values()),
    *(frame for frame, _, _ in WRITES.values()),
    "7E 00 07 01 00 E1 05 62 46",
    "7E 00 08 01 00 02 01 02 DA",
    "7E 00 08 02 00 2A 1A 00 E4 7E",
    "7E 00 08 02 00 2A 39 01 A7 EA",
    "7E 00 09 01 00 00 00 DE C8",
    "7E 00 08 01 00 D9 55 D1 76",
    "7E 00 08 01 00 D9 A0 6E CC",
    "7E 00 08 01 00 D9 A5 3E 69",
    "7E 00 08 01 00 D9 00 DB 26",
    "7E 00 08 01 00 D9 D3 20 38",
]


@pytest.mark.parametrize(("eeprom", "frame", "answer"), READS.values(), ids=READS)
def test_reads(bench, eeprom, frame, answer):
    assert bench(eeprom=eeprom).ask(frame) == bytes.fromhex(answer)


@pytest.mark.parametrize(("frame", "address"), READS_OF_ONE.values(), ids=READS_OF_ONE)
def test_read_frames_address_the_register_they_name(bench, frame, address):
    answer = bench(eeprom={address: 0xA6}).ask(frame)
    assert answer[:5] == bytes.fromhex("02 00 00 01 A6")


@pytest.mark.parametrize(("frame", "address", "value"), WRITES.values(), ids=WRITES)
def test_writes_are_acknowledged_and_kept(bench, frame, address, value):
    host = bench(eeprom={address: 0xFC} if address != 0x02 else None)
    assert host.ask(frame) == bytes.fromhex(DONE)
    assert host.read(address) == bytes.fromhex(value)


@pytest.mark.parametrize("frame", ALL_HOST_FRAMES)
def test_a_wrong_crc_is_met_with_silence_and_changes_nothing(bench, frame):
    host = bench()
    before = host.read(0x00, 256)
    good = bytes.fromhex(frame)
    for place in (-1, -2, 4, 6):
        bad = bytearray(good)
        bad[place] ^= 0x10
        assert host.ask(bytes(bad)) == b""
    assert host.read(0x00, 256) == before


@pytest.mark.parametrize("frame", ALL_HOST_FRAMES)
def test_ab_cd_stands_for_any_crc(bench, frame):
    good = bytes.fromhex(frame)
    outcomes = []
    for crc in (good[-2:], b"\xab\xcd"):
        host = bench()
        answer = host.ask(good[:-2] + crc, 4.0)
        host.baud = host.engine.baud
        host.ask("00", 2.0)  # wakes the engine, should it sleep
        outcomes.append((answer, host.baud, host.read(0x00, 256)))
    assert outcomes[0] == outcomes[1]


def test_software_version_of_the_other_profile(bench):
    assert bench("gm65-87").ask("7E 00 07 01 00 E2 01 77 91") == bytes.fromhex("02 00 00 01 87 D2 5E")


def test_reads_of_a_block_answer_with_a_block(bench):
    answer = bench().ask("7E 00 07 01 00 E1 05 62 46")
    assert answer[:4] == bytes.fromhex("02 00 00 05")
    assert answer[5] == 0x69
    assert len(answer) == 4 + 5 + 2


def test_trigger_is_acknowledged_before_the_scan(bench):
    host = bench(eeprom={0x00: 0xD1})
    host.see(b"PL:7K2M")
    assert host.ask("7E 00 08 01 00 02 01 02 DA") == bytes.fromhex(DONE) + b"PL:7K2M\r"


def test_115200_is_acknowledged_at_the_old_rate(bench):
    host = bench()
    assert host.ask("7E 00 08 02 00 2A 1A 00 E4 7E") == bytes.fromhex(DONE)
    assert host.ask("7E 00 07 01 00 2A 02 D8 0F") == b""
    host.baud = 115200
    assert host.ask("7E 00 07 01 00 2A 02 D8 0F") == bytes.fromhex("02 00 00 02 1A 00 82 D8")
    assert host.ask("7E 00 08 02 00 2A 39 01 A7 EA") == bytes.fromhex(DONE)
    host.baud = 9600
    assert host.ask("7E 00 07 01 00 2A 02 D8 0F") == bytes.fromhex("02 00 00 02 39 01 C1 4C")


def test_save(bench):
    assert bench().ask("7E 00 09 01 00 00 00 DE C8") == bytes.fromhex(DONE)


def test_heartbeat_where_the_engine_has_one(bench):
    beat = "7E 00 0A 01 00 00 00 30 1A"
    assert bench("gm861s").ask(beat) == bytes.fromhex("03 00 00 01 00 33 31")
    assert bench("gm65-69").ask(beat) == b""


def test_a_read_of_zero_cannot_be_told_from_an_acknowledgement(bench):
    host = bench(eeprom={0x06: 0})
    read, write = host.ask("7E 00 07 01 00 06 01 AB CD"), host.ask("7E 00 08 01 00 06 00 DE 3F")
    assert read == write == bytes.fromhex(DONE)
