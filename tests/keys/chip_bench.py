"""The firmware's driver and the chip's model on one desk: a bus between them, and a clock that only waiting moves."""

from __future__ import annotations

import errno
import hashlib
import sys
import types
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

# What the firmware imports of MicroPython and does not use here.
for _name in ("vfs", "micropython"):
    sys.modules.setdefault(_name, types.ModuleType(_name))
sys.modules["micropython"].const = lambda value: value  # type: ignore[attr-defined]

from plomba.sim.atecc608 import Atecc608, BusDead  # noqa: E402
from terminal import files  # noqa: E402
from terminal.keys.atecc608 import Chip  # noqa: E402
from terminal.keys.chip import ChipSigner  # noqa: E402

DIGEST = hashlib.sha256(b"a record").digest()
TRANSFER_S = 0.0004
"""About what ten bytes take at 400 kHz."""
TIMEOUT_S = 0.05


class Desk:
    """`folder` is the terminal's small state; the chip's EEPROM lives in `chip`."""

    def __init__(self, folder: Path, chip: Atecc608 | None = None) -> None:
        self.chip = chip or Atecc608()
        self.now = 100.0
        self.transfers = 0
        self.longest_sleep = 0
        files._FOLDER = f"{folder}/"  # type: ignore[attr-defined]

    # What `time` is on a board.
    def ticks_ms(self) -> int:
        return int(self.now * 1000) & 0x3FFFFFFF

    def ticks_diff(self, later: int, earlier: int) -> int:
        return later - earlier

    def sleep_ms(self, ms: int) -> None:
        self.longest_sleep = max(self.longest_sleep, ms)
        self.now += ms / 1000

    # What machine.I2C is.
    def writeto(self, address: int, data: Any) -> int:
        self._count()
        try:
            acknowledged = self.chip.write(address, bytes(data), self.now)
        except BusDead:
            self.now += TIMEOUT_S
            raise OSError(errno.ETIMEDOUT) from None
        if not acknowledged:
            raise OSError(errno.ENODEV)
        return len(data)

    def readfrom_into(self, address: int, buffer: Any) -> None:
        self._count()
        try:
            got = self.chip.read(address, len(buffer), self.now)
        except BusDead:
            self.now += TIMEOUT_S
            raise OSError(errno.ETIMEDOUT) from None
        if got is None:
            raise OSError(errno.ENODEV)
        buffer[:] = got

    def driver(self) -> Chip:
        return Chip(self, self)

    def signer(self) -> ChipSigner:
        """A start of the terminal, as far as its keys go."""
        return ChipSigner(self, self.driver())

    def restart(self) -> ChipSigner:
        """Power off and on, then the same."""
        self.chip.power_off()
        self.chip.power_on()
        return self.signer()

    def _count(self) -> None:
        self.transfers += 1
        self.now += TRANSFER_S


def check(public: bytes, digest: bytes, signature: bytes) -> tuple[int, int]:
    """r and s of a signature that `cryptography` finds valid."""
    x, y, r, s = (int.from_bytes(part, "big") for part in (public[:32], public[32:], signature[:32], signature[32:]))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))
    return r, s
