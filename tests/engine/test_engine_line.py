"""Bytes leave at the engine's rate, one after the other, each when its stop bit is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba.sim.gm65_line import Line

READ_ALL = "7E 00 07 01 00 00 00 AB CD"


@pytest.mark.parametrize(("divisor", "baud"), [(0x0139, 9600), (0x09C4, 1200), (0x001A, 115200)])
def test_an_answer_is_paced(bench, divisor, baud):
    host = bench(eeprom={0x2A: divisor & 0xFF, 0x2B: divisor >> 8})
    host.baud = baud
    asked = host.now
    answer = host.ask(READ_ALL, 5.0)
    assert len(answer) == 262
    byte_s = 10 / baud
    first, *_, last = host.sent_at
    assert first == pytest.approx(asked + host.engine.profile.answer_s + byte_s)
    assert last - first == pytest.approx(261 * byte_s)


def test_100_bytes_at_9600_take_104_ms(bench):
    host = bench(eeprom={0x00: 0xD6})
    host.see(b"X" * 99)
    host.run(1.0)
    assert host.sent_at[99] - host.sent_at[0] + 10 / 9600 == pytest.approx(0.104, abs=0.001)


bursts = st.tuples(st.binary(min_size=1, max_size=9), st.sampled_from([1200, 9600, 115200]), st.floats(0, 0.02))


@given(st.lists(bursts), st.sampled_from([0.0, 1e5, 1.7e9]))
def test_every_byte_comes_once_in_order_and_no_deadline_is_missed(bursts, start):
    line = Line()
    now = start
    heard = b""
    for data, baud, pause in bursts:
        line.push(data, baud, now)
        now += pause
        heard += (line.take(now) or (b"", 0))[0]
    while (at := line.next_at) is not None:
        taken = line.take(at)
        assert taken is not None, "a deadline that gave nothing"
        heard += taken[0]
    assert heard == b"".join(data for data, _, _ in bursts)


def test_a_byte_is_not_there_before_its_stop_bit():
    line = Line()
    line.push(b"AB", 9600, 1.0)
    assert line.next_at == pytest.approx(1.0 + 10 / 9600)
    assert line.take(1.0 + 9.8 / 9600) is None
    assert line.take(1.0 + 10 / 9600) == (b"A", 9600)
    assert line.take(1.0 + 19.8 / 9600) is None


def test_power_off_in_mid_byte_loses_what_was_not_sent():
    line = Line()
    line.push(b"ABCD", 9600, 0.0)
    line.push(b"EFGH", 9600, 0.0)
    line.cut(2.5 * 10 / 9600)
    line.push(b"xy", 9600, 1.0)
    assert line.take(0.9) == (b"AB", 9600)
    assert line.take(2.0) == (b"xy", 9600)
    assert line.take(9.0) is None


def test_power_off_in_mid_answer(bench):
    host = bench()
    host.send(READ_ALL)
    head = host.run(0.05)
    assert 30 < len(head) < 60
    assert host.power_cycle() == b""


def test_power_off_before_an_answer(bench):
    host = bench()
    host.send(READ_ALL)
    assert host.power_cycle() == b""


def test_bytes_of_two_rates_come_apart(bench, done):
    host = bench(eeprom={0x00: 0xD5})
    host.see(b"SEAL")
    write_115200, trigger = host.frame(0x08, 0x2A, b"\x1a\x00"), host.frame(0x08, 0x02, b"\x01")
    host.send(write_115200 + trigger)
    host.now += 1.0
    pieces = []
    while True:
        data, baud = host.engine.transmit(host.now)
        if not data:
            break
        pieces.append((data, baud))
    assert pieces == [(done + done, 9600), (b"SEAL\r", 115200)]
