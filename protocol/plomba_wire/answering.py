"""Challenge and answer: an owner who is not there says yes to one thing, in eight digits over the phone.

The key is agreed between the terminal's key and the owner's (ECDH on P-256), so the two need never have spoken, and
nobody else can say the eight digits. Pure functions, both interpreters.
"""

import hashlib
import struct

DIGITS = 8
"""Decimal digits of a challenge and of an answer."""
_MODULUS = 100000000


def challenge(terminal: bytes, epoch: int, seq: int, order_ref: int) -> bytes:
    """Eight digits for the record `seq` that is to be made next: another record number, another challenge."""
    numbers = struct.pack(">HII", epoch, seq, order_ref)
    return digits(hashlib.sha256(b"plomba/challenge/1" + terminal + numbers).digest())


def answer_key(shared: bytes) -> bytes:
    """The key of the HMAC, from the x coordinate (32 bytes) that both sides agree on."""
    return hashlib.sha256(b"plomba/answer/1" + shared).digest()


def answer_message(terminal: bytes, order: bytes, need: int, challenge: bytes) -> bytes:
    """What the HMAC is over: for whom, for which order, to which verdict, against which challenge.

    Raises ValueError for an order id over 255 bytes, which no order of ours has.
    """
    if len(order) > 255:
        raise ValueError("order id too long")
    return terminal + bytes((len(order),)) + order + bytes((need,)) + challenge


def digits(tag: bytes) -> bytes:
    """Eight digits of a hash: its first 8 bytes modulo 10^8, with leading zeros."""
    return b"%08d" % (int.from_bytes(tag[:8], "big") % _MODULUS)
