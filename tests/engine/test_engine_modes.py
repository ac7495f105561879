"""Manual key, command, continuous and sensor mode: when the engine reads, and when it stops."""

from __future__ import annotations

from itertools import pairwise

import pytest

from plomba.sim.gm65 import SeenCode

MANUAL, COMMAND, CONTINUOUS, SENSOR = ({0x00: 0xD4 | mode} for mode in range(4))
TRIGGER = "7E 00 08 01 00 02 01 02 DA"
STOP = "7E 00 08 01 00 02 00 12 FB"
SEAL = b"PL:7K2M"


def test_manual_mode_reads_on_the_key_only(bench, done):
    host = bench(eeprom=MANUAL)
    host.see(SEAL)
    assert host.run(10.0) == b""
    assert host.ask(TRIGGER, 2.0) == done, "command mode's trigger"
    assert host.read(0x02) == b"\x00"
    host.engine.press_trigger(host.now)
    assert host.run(1.0) == SEAL + b"\r"
    assert host.run(10.0) == b"", "one press, one code"


def test_command_mode_reads_on_command_only(bench, done):
    host = bench(eeprom=COMMAND)
    host.see(SEAL)
    host.engine.press_trigger(host.now)
    assert host.run(10.0) == b""
    assert host.ask(TRIGGER, 1.0) == done + SEAL + b"\r"
    assert host.run(10.0) == b""


def test_the_trigger_register_says_whether_a_read_is_on(bench):
    host = bench(eeprom=COMMAND)
    host.ask(TRIGGER)
    assert host.read(0x02) == b"\x01"
    host.see(SEAL)
    host.run(0.5)
    assert host.read(0x02) == b"\x00"


def test_mode_and_trigger_in_one_write(bench, done):
    host = bench(eeprom=CONTINUOUS)
    assert host.write(0x00, 0xD5, 0x00, 0x01) == done
    assert host.read(0x02) == b"\x01"
    host.see(SEAL)
    assert host.run(5.0) == SEAL + b"\r"


def test_a_code_that_comes_later_is_read_and_one_that_comes_too_late_is_not(bench, done):
    host = bench(eeprom={**COMMAND, 0x06: 50})
    assert host.ask(TRIGGER, 4.5) == done
    host.see(SEAL)
    assert host.run(1.0) == SEAL + b"\r"
    host.see()
    assert host.ask(TRIGGER, 5.5) == done
    host.see(SEAL)
    assert host.run(10.0) == b""


def test_a_timeout_of_zero_is_for_ever(bench, done):
    host = bench(eeprom={**COMMAND, 0x06: 0})
    assert host.ask(TRIGGER, 3600.0) == done
    host.see(SEAL)
    assert host.run(1.0) == SEAL + b"\r"


def test_stop_ends_the_read(bench, done):
    host = bench(eeprom=COMMAND)
    host.ask(TRIGGER)
    assert host.ask(STOP) == done
    host.see(SEAL)
    assert host.run(10.0) == b""


def test_stop_ends_a_read_that_is_decoding(bench, done):
    host = bench(eeprom=COMMAND)
    host.see(SEAL)
    assert host.ask(TRIGGER, 0.05) == done
    assert host.ask(STOP, 5.0) == done
    assert host.ask(TRIGGER, 5.0) == done + SEAL + b"\r"


def test_a_code_that_leaves_before_it_is_decoded_is_not_read(bench, done):
    host = bench(eeprom=COMMAND)
    host.ask(TRIGGER)
    host.see(SEAL)
    host.run(host.engine.profile.decode_s / 2)
    host.see()
    assert host.run(1.0) == b""
    host.see(SEAL)
    assert host.run(1.0) == SEAL + b"\r"


def test_a_read_that_fails_says_so_only_when_asked_to(bench, done):
    silent = bench(eeprom={**COMMAND, 0x06: 10})
    assert silent.ask(TRIGGER, 5.0) == done
    telling = bench(eeprom={**COMMAND, 0x06: 10, 0x60: 0x11, 0x81: 4, **dict(enumerate(b"NONE", 0x82))})
    telling.send(TRIGGER)
    assert telling.run(0.95) == done
    assert telling.run(0.2) == b"NONE\r"
    assert telling.run(5.0) == b""


@pytest.mark.parametrize("mode", [CONTINUOUS, SENSOR], ids=["continuous", "sensor"])
def test_continuous_modes_read_again_after_the_interval(bench, mode):
    host = bench(eeprom={**mode, 0x05: 10, 0x06: 0})
    host.see(SEAL)
    text = SEAL + b"\r"
    assert host.run(3.5) == text * 4
    starts = host.sent_at[:: len(text)]
    cycle_s = host.engine.profile.decode_s + len(text) * 10 / 9600 + 1.0
    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([cycle_s] * 3)


def test_the_interval_counts_from_the_end_of_the_text(bench):
    host = bench(eeprom={**CONTINUOUS, 0x05: 1, 0x2A: 0xC4, 0x2B: 0x09})
    host.baud = 1200
    host.see(b"X" * 119)
    assert host.run(10.0).count(b"\r") == 8, "120 bytes take a second at 1200"


@pytest.mark.parametrize(("delay", "expected"), [(0x00, 6), (0x94, 2), (0x14, 6)])
def test_the_same_code_delay_holds_back_the_same_code(bench, delay, expected):
    host = bench(eeprom={**CONTINUOUS, 0x05: 5, 0x13: delay})
    host.see(SEAL)
    assert host.run(3.4).count(SEAL) == expected, "2 s in 0x94, switched off by bit 7 in the others"


def test_the_same_code_delay_lets_another_code_through(bench):
    host = bench(eeprom={**CONTINUOUS, 0x05: 1, 0x13: 0xFF})
    host.see(SEAL)
    assert host.run(1.0) == SEAL + b"\r"
    host.see(SEAL, b"OTHER")
    assert host.run(1.0).startswith(b"OTHER\r")
    host.see(SeenCode("DataMatrix", SEAL))
    assert host.run(1.0) == SEAL + b"\r", "the same text in another symbology is another code"


def test_the_same_code_delay_does_not_outlast_the_power(bench):
    host = bench(eeprom={**CONTINUOUS, 0x13: 0xFF})
    host.see(SEAL)
    host.run(1.0)
    assert host.power_cycle(2.0) == SEAL + b"\r"


def test_the_same_code_delay_does_not_concern_command_mode(bench, done):
    host = bench(eeprom={**COMMAND, 0x13: 0xFF})
    host.see(SEAL)
    for _ in range(3):
        assert host.ask(TRIGGER) == done + SEAL + b"\r"


def test_a_scan_can_land_after_continuous_mode_was_left(bench, done):
    host = bench(eeprom=CONTINUOUS)
    host.see(SEAL)
    leave = host.frame(0x08, 0x00, b"\xd5")
    assert host.ask(leave) == done + SEAL + b"\r"
    assert host.run(10.0) == b"", "and that was the last one"


def test_a_scan_can_come_before_the_answer_to_a_command(bench, done):
    host = bench(eeprom=CONTINUOUS)
    host.see(SEAL)
    host.run(host.engine.profile.decode_s - 0.001)
    assert host.ask(host.frame(0x08, 0x00, b"\xd5")) == SEAL + b"\r" + done


def test_continuous_mode_starts_by_itself_after_power_on(bench):
    host = bench(eeprom=CONTINUOUS, settle=0.0)
    host.see(SEAL)
    assert host.run(1.0) == SEAL + b"\r"
    assert host.power_cycle(1.0) == SEAL + b"\r", "and a second time, though the interval was not over"


@pytest.mark.parametrize(
    ("symbology", "switch"),
    [("QRCode", 0x3F), ("Code128", 0x33), ("EAN13", 0x2E), ("DataMatrix", 0x54)],
)
def test_each_symbology_has_its_switch(bench, done, symbology, switch):
    code = SeenCode(symbology, b"4006381333931")
    host = bench(eeprom=COMMAND)
    host.see(code)
    assert host.ask(TRIGGER, 6.0) == done + code.data + b"\r"
    host.write(switch, 0x00)
    assert host.ask(TRIGGER, 6.0) == done
    host.write(0x2C, 0x01)
    assert host.ask(TRIGGER, 6.0) == done
    host.write(switch, 0x01)
    assert host.ask(TRIGGER, 6.0) == done + code.data + b"\r"
    others = {"QRCode", "Code128", "EAN13", "DataMatrix"} - {symbology}
    host.see(*(SeenCode(other, b"4006381333931") for other in sorted(others)))
    assert host.ask(TRIGGER, 6.0) == done


def test_2c_switches_all_off_all_on_or_the_factory_choice(bench, done):
    host = bench(eeprom=COMMAND)
    host.see(SeenCode("ITF", b"1234"))
    assert host.ask(TRIGGER, 6.0) == done, "not in the factory choice"
    host.write(0x2C, 0x02)
    assert host.ask(TRIGGER, 6.0) == done + b"1234\r"
    host.write(0x2C, 0x05)
    assert host.ask(TRIGGER, 6.0) == done
    host.see(SEAL)
    assert host.ask(TRIGGER, 6.0) == done + SEAL + b"\r"
    host.write(0x2C, 0x00)
    assert host.ask(TRIGGER, 6.0) == done


def test_a_symbology_switched_on_while_a_read_waits_is_read(bench, done):
    host = bench(eeprom={**COMMAND, 0x3F: 0})
    host.see(SEAL)
    assert host.ask(TRIGGER) == done
    assert host.write(0x3F, 0x01) == done + SEAL + b"\r"


def test_code_128_outside_its_lengths_is_not_read(bench, done):
    host = bench(eeprom={**COMMAND, 0x34: 4, 0x35: 6})
    for length, read in ((3, False), (4, True), (6, True), (7, False)):
        host.see(SeenCode("Code128", b"A" * length))
        assert (host.ask(TRIGGER, 6.0) != done) == read


def test_the_likeliest_readable_code_is_taken(bench, done):
    host = bench(eeprom={**COMMAND, 0x3F: 0})
    host.see(SeenCode("QRCode", b"A"), SeenCode("nothing we know", b"B"), SeenCode("Code128", b"C"))
    assert host.ask(TRIGGER) == done + b"C\r"
