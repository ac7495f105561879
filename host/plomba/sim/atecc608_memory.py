"""What an ATECC608B keeps without power: configuration zone, locks, private keys, counters.

The zone's layout is that of DS20005927A; its first block is a 608's as cryptoauthlib issue 51 shows it, the
others are the dump in mattborja/MB-ATECCX08A-Library, TestVectors.csv (a blank ATECCX08A).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

SERIAL: Final = bytes.fromhex("01 23 88 05 81 97 BA F6 EE")
"""Nine bytes; the first two and the last are the same in every chip that Microchip sells openly."""
REVISION: Final = bytes.fromhex("00 00 60 03")
COUNTER_LIMIT: Final = 2_097_151

LOCK_DATA: Final = 86
LOCK_CONFIG: Final = 87
UNLOCKED: Final = 0x55
_SLOT_CONFIG: Final = 20
_SLOT_LOCKED: Final = 88
_KEY_CONFIG: Final = 96

_FACTORY: Final = bytes.fromhex(
    "01 5D 00 C0 00 00 00 83 20 87 20 8F 20 C4 8F 8F 8F 8F 8F"
    "9F 8F AF 8F 00 00 00 00 00 00 00 00 00 00 00 00 00 00 AF 8F FF FF FF FF 00 00 00 00 FF FF FF FF"
    "00 00 00 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF 00 00 55 55 FF FF 00 00 00 00 00 00"
    "33 00 33 00 33 00 1C 00 1C 00 1C 00 1C 00 1C 00 3C 00 3C 00 3C 00 3C 00 3C 00 3C 00 3C 00 1C 00"
)


class PowerCut(Exception):
    """Power went in the middle of a write to EEPROM; the board it hangs on has none either."""


class Memory:
    """EEPROM of one chip. `path` is where it lives; without one it lives as long as this object.

    A cut tears the write that it strikes: 0 nothing of it is done, 1 a part, 2 all.
    """

    def __init__(self, path: Path | None, serial: bytes) -> None:
        self.writes = 0
        self._path = path
        self._cut_at: int | None = None
        self._torn = 0
        self.config = bytearray(serial[:4] + REVISION + serial[4:] + _FACTORY)
        self.keys: dict[int, int] = {}
        self.counters = [0, 0]
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="ascii"))
            self.config = bytearray.fromhex(kept["config"])
            self.keys = {int(slot): int(key, 16) for slot, key in kept["keys"].items()}
            self.counters = list(kept["counters"])

    def cut(self, after: int, torn: int) -> None:
        """Power goes in write `after` from now, 0 for the next."""
        self._cut_at = self.writes + after
        self._torn = torn

    @property
    def config_locked(self) -> bool:
        return self.config[LOCK_CONFIG] != UNLOCKED

    @property
    def data_locked(self) -> bool:
        return self.config[LOCK_DATA] != UNLOCKED

    def slot_config(self, slot: int) -> int:
        at = _SLOT_CONFIG + 2 * slot
        return int.from_bytes(self.config[at : at + 2], "little")

    def key_config(self, slot: int) -> int:
        at = _KEY_CONFIG + 2 * slot
        return int.from_bytes(self.config[at : at + 2], "little")

    def slot_locked(self, slot: int) -> bool:
        return not int.from_bytes(self.config[_SLOT_LOCKED : _SLOT_LOCKED + 2], "little") >> slot & 1

    def write_config(self, at: int, data: bytes) -> None:
        done = (0, len(data) // 2, len(data))[self._strikes()]
        self.config[at : at + done] = data[:done]
        self._keep()

    def lock_zone(self, at: int) -> None:
        """One byte: whole or not at all."""
        if self._strikes() == 2:
            self.config[at] = 0
        self._keep()

    def lock_slot(self, slot: int) -> None:
        if self._strikes() == 2:
            self.config[_SLOT_LOCKED + slot // 8] &= ~(1 << slot % 8)
        self._keep()

    def put_key(self, slot: int, key: int) -> None:
        """Torn, it leaves a number that is a key too, and that nobody drew."""
        done = self._strikes()
        if done:
            self.keys[slot] = key if done == 2 else key >> 128 << 128 | 1
        self._keep()

    def count(self, counter: int) -> None:
        """Torn, it jumps: "the counter may increment by a value of more than one" (data sheets, Counter command)."""
        self.counters[counter] += (0, 2, 1)[self._strikes()]
        self._keep()

    def _strikes(self) -> int:
        """How much of this write gets done: 0, 1 (a part), 2."""
        return self._torn if self.writes == self._cut_at else 2

    def _keep(self) -> None:
        if self._path is not None:
            kept = {
                "config": self.config.hex(),
                "keys": {str(slot): f"{key:064x}" for slot, key in self.keys.items()},
                "counters": self.counters,
            }
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(kept), encoding="ascii")
            os.replace(fresh, self._path)
        self.writes += 1
        if self.writes - 1 == self._cut_at:
            raise PowerCut
