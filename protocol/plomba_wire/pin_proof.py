"""What a staff list holds in the place of a PIN: salted and iterated SHA-256, both interpreters.

A PIN has 10,000 values and more of them cannot be asked of a clerk, so the proof delays nobody who holds the list and
a PC: it keeps PINs out of files and off the link. What stops guessing is the count of tries in the terminal's flash.
"""

import hashlib
import struct

ROUNDS = 1000
"""SHA-256 in all, each over one block but perhaps the first. About 56 ms on an RP2350 at 150 MHz, 42 ms on an ESP32-S3
and 100 ms on an RP2040, from instructions counted in an emulator, not measured on a board."""
PROOF = 16
"""Bytes of a proof."""
SALT = 8
"""Bytes of a salt."""
SHORTEST = 4
LONGEST = 8


def is_pin(pin: bytes) -> bool:
    """Whether these are 4 to 8 ASCII digits."""
    return SHORTEST <= len(pin) <= LONGEST and pin.isdigit()


def pin_proof(salt: bytes, badge: int, pin: bytes) -> bytes:
    """The proof of a badge's PIN, 16 bytes: a row of StaffList holds it."""
    state = hashlib.sha256(b"plomba/pin/1" + salt + struct.pack(">I", badge) + pin).digest()
    for _ in range(ROUNDS - 1):
        state = hashlib.sha256(state).digest()
    return state[:PROOF]
