"""The registers of a GM65-class engine: RAM that counts now, EEPROM that counts after the next power-on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from plomba.sim import gm65_registers as reg

_TENTH_S: Final = 0.1


class Memory:
    """RAM and EEPROM of one engine.

    `eeprom` names the registers that differ from the factory. Raises ValueError for an address that is not
    stored or a value that is not a byte.
    """

    def __init__(self, profile: reg.Profile, eeprom: Mapping[int, int]) -> None:
        self._profile = profile
        self._eeprom = dict(profile.factory)
        for address, value in eeprom.items():
            if address not in reg.PERSISTENT or not 0 <= value <= 0xFF:
                raise ValueError(f"EEPROM cannot hold {value} at {address}")
            self._eeprom[address] = value
        self.ram = bytearray(reg.SIZE)

    @property
    def eeprom(self) -> dict[int, int]:
        return dict(self._eeprom)

    def load(self) -> None:
        """Power-on: RAM is what EEPROM holds, and who the engine is."""
        self.ram[:] = bytes(reg.SIZE)
        for address, value in self._eeprom.items():
            self.ram[address] = value
        identity = (self._profile.model, self._profile.hardware, self._profile.software, *self._profile.date)
        self.ram[reg.READ_ONLY.start : reg.READ_ONLY.stop] = bytes(identity)

    def save(self, addresses: Iterable[int] = reg.PERSISTENT) -> None:
        for address in (reg.PERSISTENT - self._profile.unsaved).intersection(addresses):
            self._eeprom[address] = self.ram[address]

    def restore(self) -> None:
        """EEPROM as from the factory; RAM follows at the next `load`."""
        self._eeprom = dict(self._profile.factory)

    def write(self, address: int, value: int) -> None:
        """One byte into RAM; lost if the register is read-only, or stuck in this profile."""
        if address in reg.READ_ONLY or address in self._profile.stuck:
            return
        self.ram[address] = value
        if address == reg.SYMBOLOGY_SET:
            self._switch_symbologies(value >> 1 & 0b11)

    def reset_baud(self) -> None:
        for address in (reg.BAUD, reg.BAUD + 1):
            self.ram[address] = reg.FACTORY[address]

    def _switch_symbologies(self, choice: int) -> None:
        for symbology in reg.SYMBOLOGIES.values():
            on = symbology.default_on if choice & 0b10 else choice == 0b01
            self.ram[symbology.enable] = self.ram[symbology.enable] & 0xFE | on

    @property
    def mode(self) -> int:
        return self.ram[reg.MODE] & 0b11

    @property
    def is_continuous(self) -> bool:
        """Reads without being asked: continuous mode, and sensor mode, taken for the same here."""
        return self.mode in (reg.CONTINUOUS, reg.SENSOR)

    @property
    def scan_ordered(self) -> bool:
        return bool(self.ram[reg.SCAN] & 1)

    @scan_ordered.setter
    def scan_ordered(self, ordered: bool) -> None:
        self.ram[reg.SCAN] = self.ram[reg.SCAN] & 0xFE | ordered

    @property
    def divisor(self) -> int:
        return self.ram[reg.BAUD] | self.ram[reg.BAUD + 1] << 8

    @property
    def timeout_s(self) -> float | None:
        """How long one read lasts; None for ever."""
        return self.ram[reg.TIMEOUT] * _TENTH_S or None

    @property
    def interval_s(self) -> float:
        return self.ram[reg.INTERVAL] * _TENTH_S

    @property
    def same_code_delay_s(self) -> float | None:
        """None when the same code may be read again at once."""
        delay = self.ram[reg.SAME_CODE]
        return (delay & 0x7F) * self._profile.same_code_unit_s if delay & 0x80 else None

    @property
    def idle_limit_s(self) -> float | None:
        """How long the engine stays awake with nothing to do; None for ever."""
        high, low = self.ram[reg.AUTO_SLEEP], self.ram[reg.AUTO_SLEEP + 1]
        return ((high & 0x7F) << 8 | low) * _TENTH_S or None if high & 0x80 else None

    @property
    def speaks_on_uart(self) -> bool:
        """False when scans go to a USB port. Commands are answered on the UART all the same."""
        return not self.ram[reg.OUTPUT_PORT] & 0b11

    @property
    def obeys_setup_codes(self) -> bool:
        return not self.ram[reg.SETUP_CODES] & 0b10

    @property
    def shows_setup_codes(self) -> bool:
        return bool(self.ram[reg.SETUP_CODES] & 0b01)

    def can_read(self, symbology: str, length: int) -> bool:
        """Whether a code of this symbology and of `length` bytes is switched on."""
        found = reg.SYMBOLOGIES.get(symbology)
        if found is None or not self.ram[found.enable] & 1:
            return False
        return not found.lengths or self.ram[found.lengths] <= length <= self.ram[found.lengths + 1]
