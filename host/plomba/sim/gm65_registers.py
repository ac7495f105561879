"""The register map of a GM65-class scan engine: addresses, factory values, symbologies, profiles.

Facts are from the GM65-S user manual (V1.1; the default symbologies from V1.3) and from public drivers that
run on the hardware. What no source states is marked *assumed*: a choice of this model, to be measured
before anything depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

SIZE: Final = 0x100

MODE: Final = 0x00
SCAN: Final = 0x02
SETUP_CODES: Final = 0x03
INTERVAL: Final = 0x05
TIMEOUT: Final = 0x06
AUTO_SLEEP: Final = 0x07
OUTPUT_PORT: Final = 0x0D
SAME_CODE: Final = 0x13
BAUD: Final = 0x2A
SYMBOLOGY_SET: Final = 0x2C
FORMAT: Final = 0x60
AFFIX_LENGTHS: Final = 0x62
PREFIX: Final = 0x63
SUFFIX: Final = 0x72
READ_FAIL: Final = 0x81
CUT: Final = 0xB0
RAW: Final = 0xBC
FUNCTION: Final = 0xD9
SOFTWARE: Final = 0xE2
READ_ONLY: Final = range(0xE0, 0xE6)

MANUAL: Final = 0b00
COMMAND: Final = 0b01
CONTINUOUS: Final = 0b10
SENSOR: Final = 0b11

RESTORE_USER: Final = 0x55
RESTORE_FACTORY: Final = 0x50
LIGHT_SLEEP: Final = 0xA0
DEEP_SLEEP: Final = 0xA5
BAUD_RESCUE: Final = 0xD3

BAUD_CLOCK: Final = 3_000_000
BAUDS: Final[Mapping[int, int]] = MappingProxyType(
    {
        0x09C4: 1200,
        0x0271: 4800,
        0x0139: 9600,
        0x00D0: 14400,
        0x009C: 19200,
        0x004E: 38400,
        0x0034: 57600,
        0x001A: 115200,
    }
)

# Not settings: a trigger, a function port and the identity of the engine are never written to EEPROM.
PERSISTENT: Final = frozenset(range(SIZE)) - {SCAN, FUNCTION} - frozenset(READ_ONLY)


@dataclass(frozen=True, slots=True)
class Symbology:
    """How the engine handles one kind of code.

    `enable` is the address of its switch (bit 0). `code_id` is the factory letter and `id_at` the register
    that holds it. `lengths` is the address of the minimum length, followed by the maximum; 0 where there
    are none.
    """

    enable: int
    default_on: bool
    id_at: int
    code_id: int
    lengths: int = 0


# Switches and the default set are the manual's, and so are the letters but D, v, H and m. Those four are
# assumed, and so is that 0x91-0xA4 follow the order of the switches.
SYMBOLOGIES: Final[Mapping[str, Symbology]] = MappingProxyType(
    {
        "EAN13": Symbology(0x2E, True, 0x91, ord("d")),
        "EAN8": Symbology(0x2F, True, 0x92, ord("d")),
        "UPCA": Symbology(0x30, True, 0x93, ord("c")),
        "UPCE": Symbology(0x31, True, 0x94, ord("c")),
        "UPCE1": Symbology(0x32, True, 0x95, ord("c")),
        "Code128": Symbology(0x33, True, 0x96, ord("j"), lengths=0x34),
        "Code39": Symbology(0x36, True, 0x97, ord("b"), lengths=0x37),
        "Code93": Symbology(0x39, True, 0x98, ord("i"), lengths=0x3A),
        "Codabar": Symbology(0x3C, True, 0x99, ord("a"), lengths=0x3D),
        "QRCode": Symbology(0x3F, True, 0x9A, ord("Q")),
        "ITF": Symbology(0x40, False, 0x9B, ord("e"), lengths=0x41),
        "Industrial25": Symbology(0x43, False, 0x9C, ord("D"), lengths=0x44),
        "Matrix25": Symbology(0x46, False, 0x9D, ord("v"), lengths=0x47),
        "Code11": Symbology(0x49, False, 0x9E, ord("H"), lengths=0x4A),
        "MSI": Symbology(0x4C, False, 0x9F, ord("m"), lengths=0x4D),
        "DataBar": Symbology(0x4F, True, 0xA0, ord("R")),
        "DataBarLtd": Symbology(0x50, True, 0xA1, ord("R")),
        "DataBarExp": Symbology(0x51, True, 0xA2, ord("R"), lengths=0x52),
        "DataMatrix": Symbology(0x54, True, 0xA3, ord("u")),
        "PDF417": Symbology(0x55, True, 0xA4, ord("r")),
    }
)


def _factory() -> dict[int, int]:
    """Assumed, as no source gives them: 00 (other models ship as D6), 04, 0B, 0E, the read-fail text."""
    registers = dict.fromkeys(PERSISTENT, 0)
    registers |= {
        MODE: 0xD4,  # lamp and sound on, light and aim standard, manual key
        0x04: 0x04,
        INTERVAL: 0x0A,
        TIMEOUT: 0x32,  # the manual says 3 s in one place and 5 s in another
        AUTO_SLEEP: 0x01,
        AUTO_SLEEP + 1: 0x2C,
        0x0B: 0x3C,
        0x0E: 0x04,
        BAUD: 0x39,
        BAUD + 1: 0x01,
        SYMBOLOGY_SET: 0x05,
        FORMAT: 0x01,
        READ_FAIL: 2,
        READ_FAIL + 1: ord("R"),
        READ_FAIL + 2: ord("F"),
    }
    for symbology in SYMBOLOGIES.values():
        registers[symbology.enable] = int(symbology.default_on)
        registers[symbology.id_at] = symbology.code_id
        if symbology.lengths:
            registers[symbology.lengths + 1] = 0xFF
    return registers


FACTORY: Final[Mapping[int, int]] = MappingProxyType(_factory())


@dataclass(frozen=True, slots=True)
class Profile:
    """One engine as met in the field: who it says it is, how long it takes, and what it gets wrong.

    Times are in seconds. Only `restore_s` (2-3 s) and the 0.2 s answer of the GM60 were reported by others;
    the other times are assumed.
    """

    name: str
    software: int
    """Register E2, as `version * 100`: 0x69 is 1.05."""
    model: int = 0x05
    hardware: int = 0x01
    date: tuple[int, int, int] = (19, 12, 1)
    """Registers E3-E5: year - 2000, month, day."""
    heartbeat: bool = False
    """Answers frames of type 0A (GM861 and later); the others are silent."""
    refuses_save: bool = False
    """A save is met with silence and changes nothing."""
    unsaved: frozenset[int] = frozenset()
    """Registers that take a write and lose it at power-off, saved or not."""
    stuck: frozenset[int] = frozenset()
    """Registers whose writes are acknowledged and ignored."""
    alters_high_bytes: bool = False
    """Payload bytes from 0x80 up are recoded under register 0D, unless register BC is 08 (RAW)."""
    answer_s: float = 0.005
    boot_s: float = 0.8
    restore_s: float = 2.5
    software_zero_s: float = 1.5
    """E2 reads 0 for so long after power-on."""
    wake_s: float = 0.05
    decode_s: float = 0.06
    same_code_unit_s: float = 0.1
    """Unit of register 13: one driver says 0.1 s, another 1 s, the manual nothing."""
    factory: Mapping[int, int] = field(default_factory=lambda: FACTORY)


# The versions, the lost 2C of 0x87 and the times of the GM60 were observed by others. What a GM861S says in
# E0 is not known: 05 is assumed. Nor is it known which versions recode high bytes: 0x87 stands for them.
PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("gm65-69", software=0x69),
            Profile(
                "gm65-87",
                software=0x87,
                hardware=0x02,
                date=(23, 3, 1),
                unsaved=frozenset({SYMBOLOGY_SET}),
                alters_high_bytes=True,
            ),
            Profile("gm65-af", software=0xAF, hardware=0x02, date=(24, 5, 1)),
            Profile("gm60", software=0x64, answer_s=0.2, restore_s=3.0),
            Profile(
                "gm861s",
                software=0xAF,
                date=(24, 3, 1),
                heartbeat=True,
                factory=MappingProxyType({**FACTORY, MODE: 0xD5, FORMAT: 0x21}),
            ),
        )
    }
)


def nominal_baud(divisor: int) -> int:
    """Bits per second for a divisor of 3 MHz other than 0. 0x0139 is 9600, though 3 MHz / 313 is 9585."""
    return BAUDS.get(divisor) or round(BAUD_CLOCK / divisor)
