"""Every field of every message is shown by its name from the schema, and by the words of the vocabulary."""

from __future__ import annotations

from typing import Any

import pytest
from recorded import EPOCH, LAYOUTS, OBJECTS, RECORDS, Recorded, dissected, shown, wire

from plomba.capture import TO_DEVICE
from plomba.dissect.entry import BAD_LENGTH, FRAME, MISFIT, UNKNOWN, Entry
from plomba.dissect.values import Bits, Code, Meant
from plomba_wire import codec, framing, schema, tlv
from plomba_wire.vocabulary import Check, Tlv

_RUNS_INSIDE = ("Hello", "HelloOk", "EnrolRoot", "Data", "Credit", "Receipt")
_GOOD = [(name, case) for name, layout in LAYOUTS.items() if layout.get("type") is not None for case in layout["good"]]
_BAD = [(name, case) for name, layout in LAYOUTS.items() if layout.get("type") is not None for case in layout["bad"]]


def one(type: int, body: bytes, **head: int) -> Entry:
    frame = framing.encode(type, head.get("flags", 0), 7, 1, body)
    entries, _ = dissected(Recorded().raw(TO_DEVICE, frame))
    assert len(entries) == 1 and entries[0].size == len(frame)
    return entries[0]


def raw(value: object) -> object:
    """A shown value as the number it is."""
    if isinstance(value, Code):
        return value.code
    if isinstance(value, Bits):
        return value.bits
    return value.value if isinstance(value, Meant) else value


@pytest.mark.parametrize(("name", "case"), _GOOD, ids=[f"{name} {number}" for number, (name, _) in enumerate(_GOOD)])
def test_every_field_of_every_message(name: str, case: dict[str, Any]) -> None:
    entry = one(LAYOUTS[name]["type"], bytes.fromhex(case["bytes"]))
    assert entry.name == name and entry.crc == "ok"
    named = [field.name for field in schema.LAYOUTS[name].struct.subcons if field.name is not None]
    assert [field for field in entry.fields if field != "unread"] == named
    for field, value in case["fields"].items():
        if not isinstance(value, str):
            assert raw(entry.fields[field]) == value
    # The vectors' runs of bytes are random: what is inside is judged by itself.
    assert entry.kind == FRAME or name in _RUNS_INSIDE


@pytest.mark.parametrize(("name", "case"), _BAD, ids=[f"{name} {number}" for number, (name, _) in enumerate(_BAD)])
def test_a_body_that_does_not_fit_is_named_with_its_layout(name: str, case: dict[str, Any]) -> None:
    body = bytes.fromhex(case["bytes"])
    entry = one(LAYOUTS[name]["type"], body)
    if len(body) > framing.BODY_MAX:
        assert entry.kind == BAD_LENGTH
        return
    assert entry.kind == MISFIT and any(fault.startswith(name) for fault in entry.faults), entry.faults


def test_the_field_at_fault_is_named_and_what_stands_before_it_is_shown() -> None:
    entry = one(codec.Error.TYPE, bytes.fromhex("9910000000050000"))
    assert entry.faults == ["Error.code: 0x99 is no code of `error`"]
    cut = one(codec.Error.TYPE, bytes.fromhex("1010000000"))
    assert cut.faults == ["Error.detail: cut off, 3 bytes left"]
    assert str(cut.fields["code"]) == "BAD_RANGE (0x10)" and cut.fields["unread"] == bytes(3)


def test_records_are_taken_apart_to_their_parts() -> None:
    entries, _ = dissected(Recorded().records(1, *RECORDS))
    text = shown(entries)
    assert "action=HANDOUT (0x33)" in text and "code_kind=SEAL (0x02)" in text
    assert 'CODE="PLB-0001"' in text and "flags=TIME_TRUSTED (0x1)" in text
    records: Any = entries[0].fields["records"]
    assert [record["head"]["seq"] for record in records] == [1, 2, 3]
    assert [record["size"] for record in records] == [2 + len(body) + 64 for body, _ in RECORDS]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({Tlv.UIN: bytes.fromhex("6431000000000018")}, "UIN=6431000000000018"),
        ({Tlv.COUNTERPARTY: b"\0\0\0\x2a", Tlv.REASON: b"\0\x05"}, "COUNTERPARTY=42  REASON=5"),
        ({Tlv.PEER_HEAD: bytes(8) + b"\0\0\0\x07" + bytes(8)}, "seq=7"),
        ({Tlv.BOOT: b"\x01\x02\0\x03\x05\x01"}, "firmware=16908291 (1.2.3)  cause=5  unclean=1"),
        ({Tlv.OBJECT: b"\x04\0\0\0\x09"}, "kind=MANIFEST (0x04)  version=9"),
        ({Tlv.LONG_CODE: b"\x02\0" + bytes(32) + b"A" * 64}, "length=512  sha256=" + "00" * 32),
        ({Tlv.BEARER: b"\xab" * 32}, "BEARER=" + "ab" * 32),
        ({Tlv.DEADLINE: b"\x6a\x44\x58\x81"}, "DEADLINE=1782864001 (2026-07-01T00:00:01Z)"),
        ({0x55: b"\x01"}, "0x55=01"),
    ],
)
def test_parts_of_a_record(parts: dict[int, bytes], expected: str) -> None:
    body = RECORDS[0][0][: codec.RecordHead.SIZE] + tlv.pack(parts)
    entries, _ = dissected(Recorded().records(1, (body, bytes(64))))
    assert entries[0].kind == FRAME and expected in shown(entries)


@pytest.mark.parametrize(
    ("tail", "fault"),
    [
        (b"\x01\0\x05abc", "tlv at 0: cut off"),
        (b"\x01\0\x01a\x01\0\x01a", "tlv at 4: out of order"),
        (b"\x05\0\x01a", "tlv.COUNTERPARTY: 1 bytes that do not fit it"),
        (b"\x01", "tlv at 0: cut off"),
    ],
)
def test_parts_that_do_not_come_out(tail: bytes, fault: str) -> None:
    body = RECORDS[0][0][: codec.RecordHead.SIZE] + tail
    entries, _ = dissected(Recorded().records(1, (body, bytes(64))))
    assert entries[0].kind == MISFIT and entries[0].faults == [fault]


def test_a_record_whose_head_does_not_fit() -> None:
    body = bytearray(RECORDS[0][0])
    body[2] = 0x99
    entries, _ = dissected(Recorded().records(1, (bytes(body), bytes(64))))
    assert entries[0].faults == ["RecordHead.action: 0x99 is no code of `action`"]


def test_counts_that_lie() -> None:
    body, signature = RECORDS[0]
    packed = len(body).to_bytes(2, "big") + body + signature
    few, many = one(codec.Data.TYPE, bytes(4) + b"\x02" + packed), one(codec.Data.TYPE, bytes(4) + b"\0" + packed)
    assert few.faults == ["Data.records: 2 are named, record 2 of them is cut off"]
    assert many.faults == [f"Data.records: {len(packed)} bytes too many behind 0 records"]


def test_what_a_credit_asks_for_again_and_features() -> None:
    credit = codec.Credit(5, 512, 1, bytes.fromhex("00000007020000000a00"))
    hello = codec.Hello(bytes(8), 7, 1, 1, 2000, 512, 0x83, bytes.fromhex("010008") + codec.SCHEMA)
    text = shown(dissected(Recorded().down(hello, session=0).down(credit))[0])
    assert "window=512 (8192 bytes)" in text and "flags=REWIND (0x1)" in text
    assert "again[0]: first_seq=7  count=2" in text and "again[1]: first_seq=10  count=0" in text
    assert "features=SACK|LIVE|b7 (0x83)" in text and f"SCHEMA={codec.SCHEMA.hex()}" in text


def test_an_unknown_type_is_shown_with_its_body() -> None:
    entry = one(0x5A, b"\x01\x02")
    assert (entry.kind, entry.name, entry.fields, entry.crc) == (UNKNOWN, "0x5A", {"body": b"\x01\x02"}, "ok")


def test_an_error_names_the_request_it_is_about() -> None:
    text = shown(dissected(Recorded().up(codec.Error(0x11, 0x20, 40, 0)))[0])
    assert "code=PRUNED (0x11)  about=32 (SyncOpen)  detail=40" in text


@pytest.mark.parametrize("case", OBJECTS["good"], ids=[case["name"] for case in OBJECTS["good"]])
def test_signed_objects_are_taken_apart(case: dict[str, Any]) -> None:
    bundle = bytes.fromhex(case["bundle"])
    package = bundle + bytes.fromhex(case.get("content", ""))
    offer = codec.ObjectOffer(case["kind"], case["version"], len(package), len(bundle), bytes(32))
    made = Recorded().opened().down(offer, 1)
    for at in range(0, len(package), 100):
        made.down(codec.ObjectData(at, package[at : at + 100]), 2)
    entries, _ = dissected(made)
    shown_in = [entry for entry in entries if "package" in entry.fields]
    assert [entry.number for entry in shown_in] == [entries[-1].number], "with the piece that completes it"
    fields: Any = shown_in[0].fields["package"]
    assert shown_in[0].faults == []
    body = fields["object"]["body"]
    assert raw(fields["object"]["envelope"]["version"]) == case["version"]
    for name, value in case["fields"].items():
        found = b"".join(body[name]) if isinstance(body[name], list) else body[name]
        assert found.hex() == value if isinstance(value, str) else raw(found) == value
    if "content" in case:
        content = fields["content"]
        assert (len(content["orders"]), len(content["codes"])) == (len(case["orders"]), len(case["codes"]))
        assert raw(content["head"]["through_seq"]) == case["content_fields"]["through_seq"]


def test_the_root_that_is_offered_and_its_certificate() -> None:
    certificate = bytes.fromhex(OBJECTS["certificates"][0]["bytes"])
    text = shown(dissected(Recorded().opened().down(codec.EnrolRoot(bytes.fromhex(OBJECTS["root"]), certificate)))[0])
    assert "role=DOCK (0x02)" in text and 'label="dock 1"' in text and OBJECTS["root"] in text


def test_sizes_and_places_in_the_stream() -> None:
    made = Recorded().opened().down(codec.Ping(bytes(8)), 3, flags=1)
    entries, _ = dissected(made)
    assert [entry.offset for entry in entries if entry.direction == TO_DEVICE] == [0, 1, 1 + entries[1].size]
    assert "flags=RETRANSMISSION (0x1)" in shown(entries)
    assert entries[-1].size == len(wire(codec.Ping(bytes(8)), 3, flags=1)) and EPOCH


def test_how_a_terminal_is() -> None:
    bits = Check.CLOCK_UNSET | Check.CHAIN_BROKEN
    health = codec.Health(64, 3, 1, bits, 1900, 2, 0, 17, 5, 0, 0, 0, 0, 0, 0).pack()
    fields: dict[str, Any] = dict.fromkeys(codec.StatusOk.FIELDS, 0)
    fields.update(epoch=1, next_seq=4, head=bytes(32), health=health, signature=bytes(64))
    text = shown(dissected(Recorded().opened().up(codec.StatusOk(*fields.values())))[0])
    assert "battery=64 (%)" in text and "reset=3" in text and "engine=READY (0x01)" in text
    assert "checks=CLOCK_UNSET|CHAIN_BROKEN (0x9)" in text and "broken=17" in text and "lost_scans=5" in text
