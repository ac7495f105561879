"""Silence on every error, whatever comes and however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.sim.gm65 import Gm65, SeenCode
from plomba.sim.gm65_registers import PROFILES

READ_00 = bytes.fromhex("7E 00 07 01 00 00 01 01 41")

kinds = st.sampled_from([0x07, 0x08, 0x08, 0x09, 0x0A, 0x0B, 0x00])
addresses = st.one_of(
    st.sampled_from([0x00, 0x02, 0x03, 0x06, 0x07, 0x0D, 0x13, 0x2A, 0x2C, 0x3F, 0x60, 0xB0, 0xD9, 0xE0]),
    st.integers(0, 0xFFFF),
)
values = st.sampled_from([0x00, 0x01, 0x55, 0xA0, 0xA5, 0xD1, 0xD2, 0xD3, 0xFF]) | st.integers(0, 255)


@st.composite
def host_frames(draw):
    data = bytes(draw(st.lists(values, min_size=0, max_size=12)))
    length = draw(st.sampled_from([len(data), len(data), len(data), 0, 1, 255]))
    body = bytes((draw(kinds), length)) + draw(addresses).to_bytes(2) + data
    return b"\x7e\x00" + body + draw(st.sampled_from([b"\xab\xcd", b"\xab\xcd", b"\x00\x00"]))


noise = st.one_of(st.binary(max_size=30), st.just(b"\x7e"), st.just(b"\x7e\x00"), host_frames())
codes = st.lists(
    st.builds(
        SeenCode,
        st.sampled_from(["QRCode", "Code128", "DataMatrix", "EAN13", "ITF", "nonsense"]),
        st.one_of(st.binary(max_size=20), st.from_regex(rb"ZONE:00[0-9A-F]{2}:[0-9A-F]{2}", fullmatch=True)),
    ),
    max_size=2,
)
pauses = st.sampled_from([0.0, 0.001, 0.05, 0.2, 0.4, 3.0])


def drain(engine: Gm65, now: float, until: float) -> bytes:
    heard = b""
    for _ in range(100_000):
        data, _ = engine.transmit(now)
        heard += data
        if data:
            continue
        deadline = engine.next_deadline()
        if deadline is None or deadline > until:
            return heard
        assert deadline >= now
        now = max(now, deadline)
    raise AssertionError("the engine never comes to rest")


@settings(max_examples=300, deadline=None)
@given(
    profile=st.sampled_from(sorted(PROFILES)),
    steps=st.lists(st.tuples(pauses, noise, st.sampled_from([9600, 115200]), codes), max_size=12),
)
def test_nothing_that_is_received_or_seen_raises(profile, steps):
    engine = Gm65(profile)
    now = 0.0
    engine.power_on(now)
    drain(engine, now, 5.0)
    now = 5.0
    for pause, data, baud, seen in steps:
        engine.receive(data, baud, now)
        engine.see(seen, now)
        engine.press_trigger(now)
        drain(engine, now, now + pause)
        now += pause
    engine.power_on(now)
    drain(engine, now, now + 10.0)
    Gm65(profile, engine.eeprom)


@settings(max_examples=200, deadline=None)
@given(data=st.lists(noise, max_size=6).map(b"".join), cuts=st.lists(st.integers(0, 200), max_size=20))
def test_any_chunking_gives_the_same_answers(data, cuts):
    def conversation(pieces):
        engine = Gm65()
        engine.power_on(0.0)
        for piece in pieces:
            engine.receive(piece, 9600, 5.0)
        engine.receive(READ_00, 9600, 9.0)
        return drain(engine, 5.0, 12.0), engine.eeprom

    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert conversation(pieces) == conversation([data]) == conversation([bytes((byte,)) for byte in data])


@settings(max_examples=200, deadline=None)
@given(junk=st.binary(max_size=40))
def test_after_any_noise_and_half_a_second_a_command_is_heard(bench, junk):
    host = bench(eeprom={0x00: 0xD4})
    host.send(junk)
    host.run(4.0)  # 400 ms for half a frame; a few seconds, should the noise have been a restore
    answer = host.ask(READ_00)
    assert answer[:4] == b"\x02\x00\x00\x01"


MALFORMED = {
    "unknown type": "7E 00 06 01 00 00 01 AB CD",
    "read of length 2": "7E 00 07 02 00 00 01 00 AB CD",
    "write of nothing": "7E 00 08 00 00 00 AB CD",
    "write longer than 245": "7E 00 08 F6 00 00 " + "00 " * 0xF6 + "AB CD",
    "save with an address": "7E 00 09 01 00 01 00 AB CD",
    "save with data": "7E 00 09 01 00 00 01 AB CD",
    "read beyond the registers": "7E 00 07 01 00 FF 02 AB CD",
    "read at an address that is not there": "7E 00 07 01 01 00 01 AB CD",
    "write beyond the registers": "7E 00 08 02 00 FF 01 02 AB CD",
    "an answer's head": "02 00 00 01 00 33 31",
    "the answer to a read of 256 has no such command": "7E 00 0B 01 00 00 00 AB CD",
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED)
def test_malformed_frames_are_met_with_silence(bench, frame):
    host = bench("gm861s")
    before = host.read(0x00, 256)
    assert host.ask(frame) == b""
    assert host.read(0x00, 256) == before


def test_the_longest_write_and_the_whole_map_in_one_read(bench, done):
    host = bench()
    assert len(host.read(0x00, 256)) == 256
    filler = bytes((7,)) * 245
    values = bytearray(host.read(0x00, 245))
    values[0x63:0x81] = filler[:30]
    values[0x02] = 0
    assert host.ask(host.frame(0x08, 0x00, bytes(values)), 1.0) == done
    assert host.read(0x63, 30) == filler[:30]


def test_half_a_frame_is_forgotten_after_400_ms(bench):
    for cut in range(2, len(READ_00)):
        host = bench()
        host.send(READ_00[:cut])
        host.run(0.399)
        assert host.ask(READ_00[cut:]) != b"", cut
        host.send(READ_00[:cut])
        host.run(0.401)
        assert host.ask(READ_00[cut:]) == b"", cut
        assert host.ask(READ_00) != b"", cut


def test_a_frame_that_follows_the_head_of_another_is_heard(bench):
    host = bench()
    assert host.ask(b"\x7e" + READ_00) != b""
    assert host.ask(b"\x7e\x7e\x7e" + READ_00) != b""
    assert host.ask(b"\x7e\x00" + READ_00) != b""


def test_another_rate_is_silence_and_spoils_the_frame_under_way(bench):
    host = bench()
    host.engine.receive(READ_00, 115200, host.now)
    assert host.run(0.5) == b""
    host.send(READ_00[:5])
    host.engine.receive(b"\x55", 38400, host.now)
    assert host.ask(READ_00[5:]) == b""
    host.run(0.5)
    host.engine.receive(READ_00, 9500, host.now)
    assert host.run(0.5) != b"", "one per cent off is still the same rate"


def test_unknown_profiles_and_impossible_memories_are_refused():
    with pytest.raises(ValueError, match="gm65-69"):
        Gm65("gm812")
    for eeprom in ({0x100: 0}, {0xE0: 5}, {0x02: 1}, {0x00: 256}, {0x00: -1}):
        with pytest.raises(ValueError, match="EEPROM"):
            Gm65(eeprom=eeprom)


def test_without_power_there_is_nothing():
    engine = Gm65()
    engine.receive(READ_00, 9600, 1.0)
    engine.see([SeenCode("QRCode", b"A")], 2.0)
    engine.press_trigger(3.0)
    assert engine.transmit(10.0) == (b"", 9600)
    assert engine.next_deadline() is None
