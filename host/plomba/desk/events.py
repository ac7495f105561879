"""CloudEvents 1.0 in: one event is one record, proved here and not on the sender's word."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from plomba.desk.orders import ID_MAX
from plomba.errors import VerificationError
from plomba_wire import chain, tlv
from plomba_wire.codec import Malformed, RecordHead
from plomba_wire.schema import RECORD_MAX
from plomba_wire.vocabulary import CodeKind, Tlv

TYPE = "plomba.record.1"
SOURCE = "urn:plomba:terminal:"
_BODY_MAX = RECORD_MAX - 2 - chain.SIGNATURE
_ID_SHOWN = 64


@dataclass(slots=True)
class Claimed:
    """A record as an event claims it; nothing is proved yet."""

    head: RecordHead
    parts: dict[int, bytes]
    previous: bytes
    body: bytes
    signature: bytes


def event_id(event: object) -> str | None:
    """The event's id to answer with, None when it cannot be one of ours."""
    id = event.get("id") if isinstance(event, dict) else None
    return id if isinstance(id, str) and len(id) <= _ID_SHOWN and id.isascii() and id.isprintable() else None


def read_event(event: object) -> Claimed:
    """Raises VerificationError: desk_event_malformed, desk_event_type, desk_event_mismatch, record_malformed."""
    if not isinstance(event, dict):
        raise _malformed("event")
    if event.get("specversion") != "1.0":
        raise _malformed("specversion")
    if event.get("type") != TYPE:
        raise VerificationError("desk_event_type", found=event.get("type"), wanted=TYPE)
    data = event.get("data")
    if not isinstance(data, dict):
        raise _malformed("data")
    previous = _previous(data)
    body = _base64(data, "body")
    signature = _base64(data, "signature")
    if len(body) > _BODY_MAX:
        raise _malformed("data.body")
    try:
        head = RecordHead.read(body, 0)
        parts = tlv.unpack(body, RecordHead.SIZE)
    except Malformed as error:
        raise VerificationError("record_malformed", where=error.where) from error
    terminal = head.terminal.hex()
    identity = f"{terminal}-{head.epoch}-{head.seq}"
    if event.get("id") != identity or event.get("source") != SOURCE + terminal:
        raise VerificationError("desk_event_mismatch", found=event.get("id"), wanted=identity)
    return Claimed(head, parts, previous, body, signature)


def named_order(head: RecordHead, parts: dict[int, bytes]) -> str | None:
    """The order a record names in full, None when it names none. A ref alone is an index, not a name."""
    code = parts.get(Tlv.ORDER)
    if code is None and head.code_kind == CodeKind.ORDER:
        code = parts.get(Tlv.CODE)
        # A label is listed as a number of the order's too, but it is not its name.
        if code is not None and chain.order_ref(code) != head.order_ref:
            return None
    if not code or len(code) > ID_MAX:
        return None
    try:
        text = code.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _previous(data: dict[str, Any]) -> bytes:
    text = data.get("previous")
    if not isinstance(text, str) or len(text) != 64:
        raise _malformed("data.previous")
    try:
        return binascii.unhexlify(text)
    except ValueError as error:
        raise _malformed("data.previous") from error


def _base64(data: dict[str, Any], name: str) -> bytes:
    text = data.get(name)
    if not isinstance(text, str):
        raise _malformed(f"data.{name}")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _malformed(f"data.{name}") from error


def _malformed(where: str) -> VerificationError:
    return VerificationError("desk_event_malformed", where=where)
