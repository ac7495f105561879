"""The board that is not there: the unix port with the simulator's machine, flash and panel (host/plomba/sim/board).

Flash in blocks of 4 KiB, 2.7 MiB of a chip of 4 MiB: journal 512 KiB, two manifests of 672 KiB (10,000 orders with
20,000 codes take 626), two images of 256 KiB, 384 KiB of LittleFS. A bigger flash has a longer journal.
"""

import os

import machine
import norflash  # type: ignore[import-not-found]
import panel  # type: ignore[import-not-found]
from machine import I2C, UART

from terminal.flash import BLOCK, FileRange, Region
from terminal.tones import TONES
from terminal.version import RELEASE

NAME = "sim"
KEYS = ("scan", "ok", "back")
ENGINE_UART = 1
LINK_UART = 0
LINK_BAUDS = (115200, 230400, 460800, 921600)
"""Rates of the link; a session begins at the first."""
WATCHDOG_MS = 8000

_BLOCKS = 4
_MANIFEST = 168
_IMAGE = 64
_SMALL = 96
_device = norflash.device()

_JOURNAL = (0, _device.ioctl(_BLOCKS, 0) - 2 * _MANIFEST - 2 * _IMAGE - _SMALL)
_MANIFESTS = ((_JOURNAL[1], _MANIFEST), (_JOURNAL[1] + _MANIFEST, _MANIFEST))
_IMAGES_AT = _MANIFESTS[1][0] + _MANIFEST
_IMAGES = ((_IMAGES_AT, _IMAGE), (_IMAGES_AT + _IMAGE, _IMAGE))
_FILES = (_IMAGES_AT + 2 * _IMAGE, _SMALL)

_dog: list = []


def released() -> bool:
    """Whether this is a release build."""
    return RELEASE or panel.release()


def close_console() -> None:
    """Of a release build, for good: byte 3 interrupts nothing from here on."""
    if released():
        machine.close_console()  # type: ignore[attr-defined]


def begin() -> None:
    """Everything is imported by now; on a board it would lie in flash."""
    close_console()
    panel.leave_heap()


def journal_region() -> Region:
    return Region(_device, *_JOURNAL)


def manifest_regions() -> "tuple[Region, Region]":
    return Region(_device, *_MANIFESTS[0]), Region(_device, *_MANIFESTS[1])


def image_regions() -> "tuple[Region, Region]":
    return Region(_device, *_IMAGES[0]), Region(_device, *_IMAGES[1])


def file_range() -> FileRange:
    return FileRange(_device, *_FILES)


def engine_uart() -> UART:
    return UART(ENGINE_UART, 9600)


def link_uart() -> UART:
    return UART(LINK_UART, LINK_BAUDS[0])


def secure_element() -> "I2C | None":
    """The bus of the secure element, None where the rig has none."""
    return I2C(0) if os.getenv("SIM_I2C0_FD") else None


def play(tone: str) -> None:
    panel.send({"tone": tone, "pattern": TONES[tone]})


def lamp(colour: str) -> None:
    panel.send({"lamp": colour})


def show(buffer: bytearray) -> None:
    panel.send({"screen": bytes(buffer).hex()})


def ready() -> None:
    """The terminal is up: everything that follows is answered."""
    panel.send({"ready": True})


async def key() -> str:
    """Waits for a key and returns its name."""
    return await panel.key()


def image_window(number: int, at: int, size: int):
    """`size` bytes of an image's region from `at` on, in place: a board has its flash mapped into memory."""
    return norflash.window(_IMAGES[number][0] * BLOCK + at, size)


def battery() -> int:
    """Percent; 255 = not known, or on the cable."""
    return panel.battery()


def watchdog() -> machine.WDT:
    """Running from here on; it cannot be stopped."""
    if not _dog:
        _dog.append(machine.WDT(timeout=WATCHDOG_MS))
    return _dog[0]


def feed() -> None:
    """A long start goes on."""
    for dog in _dog:
        dog.feed()


def reset_cause() -> int:
    """machine.reset_cause(): 1 = power on, 2 = reset, 3 = watchdog."""
    return machine.reset_cause()


def reset() -> None:
    """Starts the board again. Does not return."""
    machine.reset()
