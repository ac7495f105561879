"""The records in a Data message, taken apart: head, parts, signature."""

from __future__ import annotations

import struct
from collections.abc import Callable

from plomba.dissect.layouts import UNREAD, health, read
from plomba.dissect.values import Fields, Meant, Text, code, moment
from plomba_wire import chain, codec


def records(raw: bytes, count: int, faults: list[str]) -> list[Fields]:
    """`count` records; lengths that do not come out are a fault of Data.records."""
    out: list[Fields] = []
    at = 0
    while len(out) < count:
        length = int.from_bytes(raw[at : at + 2], "big")
        end = at + 2 + length + chain.SIGNATURE
        if at + 2 > len(raw) or end > len(raw):
            faults.append(f"Data.records: {count} are named, record {len(out) + 1} of them is cut off")
            break
        out.append(_record(raw[at + 2 : at + 2 + length], raw[end - chain.SIGNATURE : end], faults))
        at = end
    else:
        if at < len(raw):
            faults.append(f"Data.records: {len(raw) - at} bytes too many behind {count} records")
    if at < len(raw):
        out.append({UNREAD: raw[at:]})
    return out


def parts(raw: bytes, section: str, faults: list[str]) -> Fields:
    """TLVs by their names in a section of the vocabulary; one without a name is called by its type, `0x55`."""
    out: Fields = {}
    at = 0
    last = -1
    while at < len(raw):
        type, length = struct.unpack_from(">BH", raw, at) if at + 3 <= len(raw) else (256, 0)
        end = at + 3 + length
        if type > 255 or end > len(raw) or type <= last:
            why = "out of order" if end <= len(raw) and type <= last else "cut off"
            faults.append(f"{section} at {at}: {why}")
            out[UNREAD] = raw[at:]
            break
        name = code(section, type).name or f"0x{type:02X}"
        out[name] = _part(section, name, raw[at + 3 : end], faults)
        at, last = end, type
    return out


def again_rows(raw: bytes, faults: list[str]) -> list[Fields]:
    """Runs of records that a Credit asks for again."""
    size = codec.AgainRow.SIZE
    return [read("AgainRow", raw[at : at + size], faults)[0] for at in range(0, len(raw), size)]


def _record(body: bytes, signature: bytes, faults: list[str]) -> Fields:
    head, end = read("RecordHead", body, faults, whole=False)
    fields: Fields = {"size": 2 + len(body) + len(signature), "head": head}
    if UNREAD not in head:
        fields["parts"] = parts(body[end:], "tlv", faults)
    fields["signature"] = signature
    return fields


def _part(section: str, name: str, value: bytes, faults: list[str]) -> object:
    shown = _PARTS.get(name) if section == "tlv" else None
    if shown is None:
        return value
    try:
        return shown(value)
    except (struct.error, ValueError):
        faults.append(f"{section}.{name}: {len(value)} bytes that do not fit it")
        return value


def _number(format: str) -> Callable[[bytes], int]:
    def shown(value: bytes) -> int:
        (number,) = struct.unpack(format, value)
        return int(number)

    return shown


def _uin(value: bytes) -> str:
    digits = value.hex()
    if len(digits) != 16 or not digits.isdecimal():
        raise ValueError(digits)
    return digits


def _peer_head(value: bytes) -> Fields:
    return dict(zip(("terminal", "seq", "head"), struct.unpack(">8sI8s", value), strict=True))


def _long_code(value: bytes) -> Fields:
    length, sha256, start = struct.unpack(">H32s64s", value)
    return {"length": length, "sha256": sha256, "start": Text(start)}


def _boot(value: bytes) -> Fields:
    firmware, cause, unclean = struct.unpack(">IBB", value)
    return {
        "firmware": Meant(firmware, f"{firmware >> 24}.{firmware >> 16 & 255}.{firmware & 65535}"),
        "cause": cause,
        "unclean": unclean,
    }


def _object(value: bytes) -> Fields:
    kind, version = struct.unpack(">BI", value)
    return {"kind": code("object_kind", kind), "version": version}


_PARTS: dict[str, Callable[[bytes], object]] = {
    "CODE": Text,
    "SEAL": Text,
    "UIN": _uin,
    "ORDER": Text,
    "COUNTERPARTY": _number(">I"),
    "REASON": _number(">H"),
    "REF_SEQ": _number(">I"),
    "PEER_HEAD": _peer_head,
    "CONDITION": _number(">B"),
    "QUANTITY": _number(">H"),
    "DEADLINE": lambda value: moment(_number(">I")(value)),
    "CELL": Text,
    "RESULTS": _number(">H"),
    "SHIFT_COUNT": _number(">I"),
    "LONG_CODE": _long_code,
    "BOOT": _boot,
    "OBJECT": _object,
    "HEALTH": health,
    "TRACE": Text,
}
"""Part of a record -> its value, as vocabulary.toml describes it; what is missing here is a hash: PHOTO, BEARER ..."""
