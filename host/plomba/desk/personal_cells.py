"""Personal data of an order's recipient as it comes in. A mistake in it is told without saying what was read."""

from __future__ import annotations

import re

from plomba.errors import UsageError

LIMITS = {"recipient": 200, "phone": 32, "address": 500, "email": 254}
"""Column -> bytes of the longest value, UTF-8 (RFC 5321 section 4.5.3.1 for `email`)."""
FIELDS = tuple(LIMITS)

_PHONE = re.compile(r"\+?[0-9 ()./-]+")
_DIGITS = (5, 15)
"""Digits of a telephone number (ITU-T E.164: 15 at most)."""
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")


def read(field: str, text: str) -> str:
    """The value, without spaces at its edges; "" for none. Raises UsageError, which never holds the value."""
    value = text.strip(" \u00a0")
    # What is copied from a web page has spaces that do not break: nothing compares these texts character by character.
    value = value.replace("\u00a0", " ")
    hidden = next((char for char in value if not char.isprintable()), "")
    if hidden:
        raise UsageError("desk_row_control", column=field, found=f"U+{ord(hidden):04X}")
    size = len(value.encode())
    if size > LIMITS[field]:
        raise UsageError("desk_row_long", column=field, size=size, limit=LIMITS[field])
    if field == "phone" and value and not _is_phone(value):
        raise UsageError("desk_row_phone", column=field, least=_DIGITS[0], most=_DIGITS[1])
    if field == "email" and value and not _EMAIL.fullmatch(value):
        raise UsageError("desk_row_email", column=field)
    return value


def _is_phone(value: str) -> bool:
    return bool(_PHONE.fullmatch(value)) and _DIGITS[0] <= sum(char.isdigit() for char in value) <= _DIGITS[1]
