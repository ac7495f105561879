"""RAM and EEPROM, restarts, restores, rates and sleep."""

from __future__ import annotations

import json

import pytest

from plomba.sim.gm65 import Gm65
from plomba.sim.gm65_registers import BAUDS, FACTORY, PROFILES, Profile

SAVE = "7E 00 09 01 00 00 00 DE C8"
RESTORE = "7E 00 08 01 00 D9 55 D1 76"
LIGHT_SLEEP = "7E 00 08 01 00 D9 A0 6E CC"
DEEP_SLEEP = "7E 00 08 01 00 D9 A5 3E 69"
READ_MODEL = "7E 00 07 01 00 E0 01 11 F3"


def test_a_write_is_lost_at_power_off_unless_saved(bench, done):
    host = bench()
    host.write(0x06, 0x11)
    host.power_cycle()
    assert host.read(0x06) == b"\x32"
    host.write(0x06, 0x11)
    assert host.ask(SAVE) == done
    host.power_cycle()
    assert host.read(0x06) == b"\x11"
    assert host.engine.eeprom[0x06] == 0x11


def test_eeprom_can_be_kept_by_the_caller(bench):
    first = bench()
    first.write(0x03, 0x02)
    first.ask(SAVE)
    kept = {int(address): value for address, value in json.loads(json.dumps(first.engine.eeprom)).items()}
    assert bench(eeprom=kept).read(0x03) == b"\x02"
    first.engine.eeprom[0x03] = 0
    assert first.engine.eeprom[0x03] == 2, "a copy"


def test_the_trigger_the_function_port_and_the_identity_are_not_kept(bench, done):
    host = bench(eeprom={0x00: 0xD5, 0x06: 0})
    identity = host.read(0xE0, 6)
    host.write(0x02, 0x01)
    assert host.write(0xE0, 1, 2, 3, 4, 5, 6) == done
    assert host.read(0xE0, 6) == identity
    host.ask(SAVE)
    assert not {0x02, 0xD9, 0xE0, 0xE5} & host.engine.eeprom.keys()
    host.power_cycle()
    assert host.read(0x02) == b"\x00"
    assert host.read(0xE0, 6) == identity


def test_the_software_version_is_0_shortly_after_power_on(bench):
    host = bench("gm65-af", settle=1.0)
    assert host.read(0xE2) == b"\x00"
    assert host.read(0xE0) == b"\x05"
    host.run(1.0)
    assert host.read(0xE2) == b"\xaf"


def test_nothing_is_heard_while_the_engine_boots(bench):
    host = bench(settle=0.5)
    assert host.ask(READ_MODEL, 0.5) == b""
    assert host.ask(READ_MODEL, 0.5) != b""


@pytest.mark.parametrize("frame", [RESTORE, "7E 00 08 01 00 D9 50 AB CD"], ids=["55", "50"])
def test_restore_is_silent_lands_at_9600_and_takes_seconds(bench, frame):
    host = bench(eeprom={0x06: 1, 0x2A: 0x1A, 0x2B: 0x00})
    host.baud = 115200
    host.write(0x05, 0x22)
    assert host.ask(frame, 0.0) == b""
    assert host.engine.eeprom == dict(FACTORY)
    host.baud = 9600
    host.run(2.0)
    assert host.ask(READ_MODEL) == b""
    assert host.ask(READ_MODEL) != b""
    assert host.read(0x05, 2) == b"\x0a\x32"


def test_a_command_behind_a_restore_is_lost(bench):
    host = bench()
    assert host.ask(bytes.fromhex(RESTORE + READ_MODEL), 5.0) == b""


@pytest.mark.parametrize(("divisor", "baud"), BAUDS.items(), ids=map(str, BAUDS.values()))
def test_every_published_rate(bench, divisor, baud):
    host = bench(eeprom={0x2A: divisor & 0xFF, 0x2B: divisor >> 8})
    assert host.engine.baud == baud
    host.baud = baud
    assert host.read(0x2A, 2) == divisor.to_bytes(2, "little")


def test_a_rate_that_was_not_saved_is_gone_after_power_off(bench):
    host = bench()
    host.write(0x2A, 0x1A, 0x00)
    assert host.engine.baud == 115200
    host.power_cycle()
    assert host.engine.baud == 9600
    assert host.read(0xE0) == b"\x05"


def test_half_a_rate_is_another_rate(bench):
    host = bench()
    host.write(0x2A, 0x1A)
    assert host.ask(READ_MODEL) == b"", "0x011A: 10638 bit/s"
    host.baud = 10638
    host.write(0x2B, 0x00)
    assert host.engine.baud == 115200


def test_baud_rescue(bench, done):
    host = bench()
    host.write(0x2A, 0x1A, 0x00)
    host.baud = 115200
    assert host.ask("7E 00 08 01 00 D9 D3 20 38") == done
    host.baud = 9600
    assert host.read(0x2A, 2) == b"\x39\x01"


def test_a_divisor_of_zero_does_no_harm(bench):
    host = bench()
    host.write(0x2A, 0x00, 0x00)
    assert host.read(0x2A, 2) == b"\x00\x00"
    host.ask(SAVE)
    host.power_cycle()
    assert host.read(0x2A, 2) == b"\x00\x00"


def test_a_divisor_of_zero_in_eeprom_is_9600(bench):
    host = bench()
    host.write(0x2A, 0x1A, 0x00)
    host.baud = 115200
    host.write(0x2A, 0x00, 0x00)
    host.ask(SAVE)
    host.power_cycle()
    assert host.engine.baud == 9600


def test_a_restore_in_the_middle_of_a_write_ends_it(bench):
    host = bench()
    assert host.write(0xD8, 0x00, 0x55, 0x77) == b""
    host.run(5.0)
    assert host.read(0xDA) == b"\x00"


def test_light_sleep_loses_the_first_command_and_keeps_ram(bench, done):
    host = bench()
    host.write(0x06, 0x11)
    assert host.ask(LIGHT_SLEEP) == done
    assert host.ask(READ_MODEL) == b""
    assert host.ask(READ_MODEL) != b""
    assert host.read(0x06) == b"\x11"


def test_a_second_command_that_comes_too_early_is_lost_as_well(bench):
    host = bench()
    host.ask(LIGHT_SLEEP)
    assert host.ask(READ_MODEL, 0.01) == b""
    assert host.ask(READ_MODEL, 0.1) == b""
    assert host.ask(READ_MODEL, 0.1) != b""


def test_an_order_to_sleep_that_takes_effect_while_waking_is_obeyed(bench, done):
    host = bench()
    host.send(bytes.fromhex(LIGHT_SLEEP * 2))
    host.run(0.015)
    host.send("00")
    host.run(1.0)
    assert host.ask(READ_MODEL) == b"", "asleep again"
    assert host.ask(READ_MODEL) != b""


def test_deep_sleep_reboots_on_waking_and_loses_ram(bench, done):
    host = bench()
    host.write(0x06, 0x11)
    assert host.ask(DEEP_SLEEP) == done
    assert host.ask("7E 00 08 01 00 D9 00 DB 26", 0.5) == b""
    assert host.ask(READ_MODEL, 0.2) == b"", "still booting"
    host.run(0.5)
    assert host.read(0x06) == b"\x32"


def test_a_sleeping_engine_reads_nothing_and_the_key_wakes_it(bench):
    host = bench(eeprom={0x00: 0xD4})
    host.ask(LIGHT_SLEEP)
    host.see(b"SEAL")
    host.engine.press_trigger(host.now)
    assert host.run(1.0) == b""
    host.engine.press_trigger(host.now)
    assert host.run(1.0) == b"SEAL\r"


def test_continuous_mode_goes_on_after_sleep(bench, done):
    host = bench(eeprom={0x00: 0xD6, 0x05: 0xFF})
    host.ask(LIGHT_SLEEP)
    host.see(b"SEAL")
    assert host.run(60.0) == b""
    assert host.ask("00", 1.0) == b"SEAL\r"


def test_the_engine_dozes_when_nothing_happens(bench):
    host = bench(eeprom={0x07: 0x80, 0x08: 100})
    host.run(5.0)
    assert host.ask(READ_MODEL, 9.0) != b"", "nearly 10 s after it booted; the count begins anew"
    assert host.ask(READ_MODEL, 10.5) != b""
    assert host.ask(READ_MODEL) == b"", "asleep after 10 s"
    assert host.ask(READ_MODEL) != b""


def test_a_shorter_idle_time_counts_at_once(bench):
    host = bench(eeprom={0x07: 0x8B, 0x08: 0xB8})
    host.write(0x07, 0x80, 0x14)
    host.run(2.0)
    assert host.ask(READ_MODEL) == b""


def test_an_engine_that_is_not_told_to_doze_stays_awake(bench):
    host = bench()
    host.run(3600.0)
    assert host.read(0xE0) == b"\x05"


def test_an_engine_that_reads_continuously_does_not_doze(bench):
    host = bench(eeprom={0x00: 0xD6, 0x05: 0xFF, 0x07: 0x80, 0x08: 20})
    host.run(60.0)
    assert host.read(0xE0) == b"\x05"


def test_a_2c_that_is_not_persistent(bench, done):
    host = bench("gm65-87")
    assert host.write(0x2C, 0x01) == done
    assert host.read(0x2C) == b"\x01"
    host.ask(SAVE)
    host.power_cycle()
    assert host.read(0x2C) == b"\x05"
    other = bench("gm65-69")
    other.write(0x2C, 0x01)
    other.ask(SAVE)
    other.power_cycle()
    assert other.read(0x2C) == b"\x01"


def test_a_register_whose_writes_are_acknowledged_and_ignored(bench, done):
    host = bench(Profile("stuck", software=0x87, stuck=frozenset({0x2C})))
    assert host.write(0x2C, 0x01) == done
    assert host.read(0x2C) == b"\x05"
    assert host.read(0x3F) == b"\x01"


def test_a_save_that_is_refused(bench):
    host = bench(Profile("stubborn", software=0x69, refuses_save=True))
    host.write(0x06, 0x11)
    assert host.ask(SAVE) == b""
    host.power_cycle()
    assert host.read(0x06) == b"\x32"


def test_the_gm60_thinks_for_200_ms(bench):
    host = bench("gm60")
    assert host.ask(READ_MODEL, 0.19) == b""
    assert host.run(0.1) != b""


def test_every_profile_has_a_whole_memory_and_boots():
    for name in PROFILES:
        engine = Gm65(name)
        assert engine.eeprom.keys() == FACTORY.keys()
        assert all(0 <= value <= 255 for value in engine.eeprom.values())


def test_time_never_runs_backwards(bench):
    host = bench(start=1_700_000_000.0)
    host.engine.receive(bytes.fromhex(READ_MODEL), 9600, 3.0)
    assert host.run(1.0) == bytes.fromhex("02 00 00 01 05 63 94")
