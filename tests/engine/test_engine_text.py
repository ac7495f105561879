"""What a scan looks like on the wire, and what a printed setup code can do to the engine."""

from __future__ import annotations

import pytest

from plomba.sim.gm65 import SeenCode

TRIGGER = "7E 00 08 01 00 02 01 02 DA"
COMMAND = {0x00: 0xD5}
SEAL = b"PL:7K2M"


def scan(host, *codes):
    host.see(*codes)
    answer = host.ask(TRIGGER, 6.0)
    assert answer[:7] == bytes.fromhex("02 00 00 01 00 33 31")
    return answer[7:]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (0x00, SEAL),
        (0x01, SEAL + b"\r"),
        (0x21, SEAL + b"\r\n"),
        (0x41, SEAL + b"\t"),
        (0x61, SEAL),
        (0x20, SEAL),
        (0x25, b"Q" + SEAL + b"\r\n"),
        (0x09, b"<<" + SEAL + b"\r"),
        (0x03, SEAL + b">" + b"\r"),
        (0x2F, b"<<Q" + SEAL + b">\r\n"),
    ],
)
def test_prefix_code_id_data_suffix_tail(bench, layout, expected):
    host = bench(eeprom={**COMMAND, 0x60: layout, 0x62: 0x21, 0x63: 0x3C, 0x64: 0x3C, 0x72: 0x3E})
    assert scan(host, SEAL) == expected


@pytest.mark.parametrize(
    ("symbology", "letter"), [("QRCode", b"Q"), ("Code128", b"j"), ("EAN13", b"d"), ("DataMatrix", b"u")]
)
def test_code_ids(bench, symbology, letter):
    assert scan(bench(eeprom={**COMMAND, 0x60: 0x25}), SeenCode(symbology, b"123")) == letter + b"123\r\n"


@pytest.mark.parametrize(
    ("part", "expected"),
    [(0, b"ABCDEFGH"), (1, b"ABC"), (2, b"GH"), (3, b"DEF")],
    ids=["all", "head", "end", "mid"],
)
def test_cutting(bench, part, expected):
    host = bench(eeprom={**COMMAND, 0xB0: part, 0xB1: 3, 0xB2: 2})
    assert scan(host, b"ABCDEFGH") == expected + b"\r"


@pytest.mark.parametrize("port", [0b01, 0b11])
def test_a_scan_meant_for_usb_does_not_come_over_the_uart(bench, port):
    host = bench(eeprom={**COMMAND, 0x0D: port})
    assert scan(host, SEAL) == b""
    assert host.read(0x0D) == bytes((port,)), "commands are answered all the same"
    host.write(0x0D, 0x00)
    assert scan(host, SEAL) == SEAL + b"\r"


BINARY = bytes(range(256))


def test_bytes_pass_as_they_are_on_gm65_69(bench):
    assert scan(bench(eeprom=COMMAND), BINARY) == BINARY + b"\r"


def test_high_bytes_are_altered_on_gm65_87_unless_raw(bench):
    host = bench("gm65-87", eeprom=COMMAND)
    assert scan(host, BINARY) != BINARY + b"\r"
    assert scan(host, BINARY[:128]) == BINARY[:128] + b"\r", "ASCII is safe"
    assert scan(host, "пломба".encode()) == "пломба".encode("gbk") + b"\r"
    host.write(0xBC, 0x08)
    assert scan(host, BINARY) == BINARY + b"\r"


def test_a_printed_code_rewrites_registers_for_good(bench):
    host = bench(eeprom=COMMAND)
    assert scan(host, b"ZONE:0060:21") == b"", "not shown unless register 03 says so"
    assert host.read(0x60) == b"\x21"
    host.power_cycle()
    assert host.read(0x60) == b"\x21"


def test_only_what_the_code_wrote_is_kept(bench):
    host = bench(eeprom=COMMAND)
    host.write(0x05, 0x77)
    scan(host, b"ZONE:0060:21")
    assert (host.engine.eeprom[0x60], host.engine.eeprom[0x05]) == (0x21, 0x0A)


def test_what_the_code_wrote_is_kept_even_if_it_changed_nothing(bench):
    host = bench(eeprom=COMMAND)
    host.write(0x60, 0x21)
    scan(host, b"ZONE:0060:21")
    assert host.engine.eeprom[0x60] == 0x21


def test_a_printed_code_takes_the_engine_off_the_air(bench):
    host = bench(eeprom=COMMAND)
    scan(host, b"ZONE:002A:1A00")
    assert host.ask("7E 00 07 01 00 E0 01 11 F3") == b""
    host.baud = 115200
    assert host.read(0xE0) == b"\x05"
    host.power_cycle()
    assert host.read(0xE0) == b"\x05", "kept"


def test_a_printed_code_restores_the_factory_settings(bench):
    host = bench(eeprom={**COMMAND, 0x06: 1})
    host.see(b"ZONE:00D9:55")
    host.ask(TRIGGER, 6.0)
    assert host.read(0x00) == b"\xd4"


def test_a_printed_code_in_continuous_mode(bench):
    host = bench(eeprom={0x00: 0xD6})
    host.see(b"ZONE:0000:D5")
    host.run(5.0)
    assert host.read(0x00) == b"\xd5"
    host.see(SEAL)
    assert host.run(5.0) == b""


def test_closed_setup_codes_are_text(bench):
    host = bench(eeprom={**COMMAND, 0x03: 0x02})
    before = host.read(0x00, 256)
    assert scan(host, b"ZONE:0060:21") == b"ZONE:0060:21\r"
    assert host.read(0x00, 256) == before
    assert host.engine.eeprom[0x60] == 0x01


def test_setup_codes_are_shown_when_asked_for(bench):
    host = bench(eeprom={**COMMAND, 0x03: 0x01})
    assert scan(host, b"ZONE:0003:02") == b"ZONE:0003:02\r"
    assert host.read(0x03) == b"\x02", "and obeyed"
    assert scan(host, b"ZONE:0003:00") == b"ZONE:0003:00\r"
    assert host.read(0x03) == b"\x02", "the door is closed from within"


@pytest.mark.parametrize(
    "text",
    [b"ZONE:0060:2", b"ZONE:0060:", b"ZONE:60:21", b"zone:0060:21", b"ZONE:0060:21\r", b"XZONE:0060:21"],
)
def test_what_only_looks_like_a_setup_code_is_text(bench, text):
    host = bench(eeprom=COMMAND)
    assert scan(host, text) == text + b"\r"
    assert host.read(0x60) == b"\x01"


def test_a_setup_code_beyond_the_registers_does_nothing(bench):
    host = bench(eeprom=COMMAND)
    before = host.read(0x00, 256)
    assert scan(host, b"ZONE:FFFF:00") == b""
    assert scan(host, b"ZONE:00FF:0011") == b""
    assert host.read(0x00, 256) == before
