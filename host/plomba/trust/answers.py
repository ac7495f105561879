"""What an owner answers to a challenge that a terminal shows: eight digits for one order and one decision."""

from __future__ import annotations

import hashlib
import hmac
import re

from plomba.errors import UsageError
from plomba.trust.keys import PrivateKey
from plomba_wire import answering, chain
from plomba_wire.schema import VOCABULARY

ORDER_MAX = 48
"""Bytes of the longest order id (vocabulary.toml, tlv.ORDER)."""


def answer(owner: PrivateKey, terminal: bytes, order: str, need: int, challenge: str) -> str:
    """The eight digits of the owner for the terminal whose public key (X || Y) is `terminal`.

    `need` is the verdict that the override answers. Raises UsageError `answer_challenge`, `answer_order`; ValueError
    when `terminal` is not a point.
    """
    if not re.fullmatch(r"[0-9]{8}", challenge):
        raise UsageError("answer_challenge", challenge=challenge)
    try:
        id = order.encode()
    except UnicodeEncodeError:
        id = b""
    if not 0 < len(id) <= ORDER_MAX:
        raise UsageError("answer_order", order=order, limit=ORDER_MAX)
    key = answering.answer_key(owner.agree(terminal))
    message = answering.answer_message(chain.key_id(terminal), id, need, challenge.encode())
    return answering.digits(hmac.digest(key, message, hashlib.sha256)).decode()


def need_named(text: str) -> tuple[str, int]:
    """Name and code of the verdict that a person means: NEED_SEAL, or SEAL for short. Raises UsageError
    `answer_need`."""
    verdicts = VOCABULARY["verdict"]
    for name in (text.upper(), f"NEED_{text.upper()}"):
        if name in verdicts:
            return name, verdicts[name]["code"]
    known = ", ".join(name.removeprefix("NEED_") for name in verdicts if name.startswith("NEED_"))
    raise UsageError("answer_need", need=text, known=known)
