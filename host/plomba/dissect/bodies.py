"""The body of a message, with what lies inside its runs of bytes."""

from __future__ import annotations

from collections.abc import Callable

from plomba.dissect.layouts import read
from plomba.dissect.objects import bundle, signed_object
from plomba.dissect.records import again_rows, parts, records
from plomba.dissect.values import Fields

_INSIDE: dict[tuple[str, str], Callable[[bytes, list[str]], object]] = {
    ("Hello", "growth"): lambda raw, faults: parts(raw, "growth", faults),
    ("HelloOk", "growth"): lambda raw, faults: parts(raw, "growth", faults),
    ("EnrolRoot", "certificate"): signed_object,
    ("Credit", "again"): again_rows,
    ("Receipt", "bundle"): bundle,
}
"""(message, field) -> what its bytes are. Objects that come down in pieces are taken apart when they are whole."""


def body(name: str, data: bytes, faults: list[str]) -> Fields:
    """The fields of message `name`, to the last part of the last record."""
    fields, _ = read(name, data, faults)
    for field, value in fields.items():
        inside = _INSIDE.get((name, field))
        if inside is not None and isinstance(value, bytes):
            fields[field] = inside(value, faults)
    count, raw = fields.get("count"), fields.get("records")
    if name == "Data" and isinstance(count, int) and isinstance(raw, bytes):
        fields["records"] = records(raw, count, faults)
    return fields
