"""Bodies read field by field with the layouts of schema.py. What does not fit is named, and what was read stays."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import construct as c

from plomba.dissect.values import Fields, Meant, Text, bits, code, moment, named_bits
from plomba_wire.schema import LAYOUTS, MESSAGES, OneOf

MESSAGE_NAMES = {type: layout.name for type, layout in MESSAGES.items()}
"""Message type -> its name."""
UNREAD = "unread"
"""Field of a dump that is no field of a layout: the bytes from the first one on that does not fit."""


def read(name: str, data: bytes, faults: list[str], *, whole: bool = True) -> tuple[Fields, int]:
    """The fields of layout `name` at the front of `data`, and where they end; with `whole` nothing may follow.

    What does not fit is put into `faults` with layout, field and reason.
    """
    stream = io.BytesIO(data)
    fields: Fields = {}
    for field in LAYOUTS[name].struct.subcons:
        at = stream.tell()
        if field.name is None:
            break
        try:
            value = field.parse_stream(stream)
        except c.ConstructError as error:
            faults.append(f"{name}.{field.name}: {_reason(error, field, data[at:])}")
            fields[UNREAD] = data[at:]
            return fields, len(data)
        fields[field.name] = _shown(name, field, value)
    end = stream.tell()
    if whole and end < len(data):
        faults.append(f"{name}: {len(data) - end} bytes too many")
        fields[UNREAD] = data[end:]
    return fields, end


def message_name(type: int) -> str:
    """Its name, or its type in hex when it has none."""
    return MESSAGE_NAMES.get(type, f"0x{type:02X}")


def _shown(layout: str, field: Any, value: Any) -> object:
    kind = _kind(field)
    if isinstance(kind, OneOf):
        return code(kind.section, value)
    meaning = _MEANINGS.get((layout, field.name)) or _MEANINGS.get(("", field.name))
    return meaning(value) if meaning is not None else value


def _kind(field: Any) -> Any:
    while isinstance(field, c.Renamed):
        field = field.subcon
    return field


def _reason(error: Exception, field: Any, left: bytes) -> str:
    kind = _kind(field)
    if isinstance(kind, OneOf) and left:
        return f"0x{left[0]:02X} is no code of `{kind.section}`"
    if isinstance(error, c.StreamError):
        return f"cut off, {len(left)} bytes left"
    if isinstance(error, c.ConstError):
        return "not its one value"
    return "longer than its limit"


def _units(value: int) -> Meant:
    return Meant(value, f"{value * 16} bytes")


def _version(value: int) -> Meant:
    return Meant(value, f"{value >> 24}.{value >> 16 & 255}.{value & 65535}")


def _about(value: int) -> Meant:
    return Meant(value, message_name(value))


def health(value: bytes) -> Fields:
    """Of a StatusOk or a record. Raises ValueError for what is none."""
    faults: list[str] = []
    fields, _ = read("Health", value, faults)
    if faults:
        raise ValueError(faults[0])
    return fields


def _health(value: bytes) -> object:
    try:
        return health(value)
    except ValueError:
        return value


def _battery(value: int) -> Meant:
    return Meant(value, "not known" if value == 255 else "%")


def _zero_padded(value: bytes) -> Text:
    return Text(value.rstrip(b"\0"))


_MEANINGS: dict[tuple[str, str], Callable[[Any], object]] = {
    ("", "window"): _units,
    ("", "utc"): moment,
    ("", "since"): moment,
    ("", "until"): moment,
    ("", "t_utc"): moment,
    ("", "not_before"): moment,
    ("", "not_after"): moment,
    ("", "firmware"): _version,
    ("", "features"): lambda value: bits("feature", value),
    ("RecordHead", "flags"): lambda value: bits("flag", value),
    ("Credit", "flags"): lambda value: named_bits({1: "REWIND"}, value),
    ("CodeRow", "flags"): lambda value: named_bits({1: "VOID"}, value),
    ("Error", "about"): _about,
    ("StatusOk", "health"): _health,
    ("Health", "battery"): _battery,
    ("Health", "checks"): lambda value: bits("check", value),
    ("ImageHead", "board"): _zero_padded,
    ("ImageHead", "floor"): _version,
    ("DiagOk", "text"): Text,
    ("Certificate", "label"): Text,
    ("OrderRow", "cell"): _zero_padded,
}
"""(layout, field) -> what its value means; with the layout left out it holds for every layout."""
