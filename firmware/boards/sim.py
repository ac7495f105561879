"""The board that is not there: the unix port with the simulator's machine, flash and panel (host/plomba/sim/board).

Flash of 2 MiB in blocks of 4 KiB: journal 512 KiB, two manifests of 576 KiB, 384 KiB of LittleFS. A bigger flash has a
longer journal.
"""

import norflash  # type: ignore[import-not-found]
import panel  # type: ignore[import-not-found]
from machine import UART

from terminal.flash import FileRange, Region
from terminal.tones import TONES

KEYS = ("scan", "ok", "back")
ENGINE_UART = 1
LINK_UART = 0
LINK_BAUDS = (115200, 230400, 460800, 921600)
"""Rates of the link; a session begins at the first."""

_BLOCKS = 4
_device = norflash.device()
_journal_blocks = _device.ioctl(_BLOCKS, 0) - 384

_JOURNAL = (0, _journal_blocks)
_MANIFESTS = ((_journal_blocks, 144), (_journal_blocks + 144, 144))
_FILES = (_journal_blocks + 288, 96)

# Everything is imported by now; on a board it would lie in flash.
panel.leave_heap()


def journal_region() -> Region:
    return Region(_device, *_JOURNAL)


def manifest_regions() -> "tuple[Region, Region]":
    return Region(_device, *_MANIFESTS[0]), Region(_device, *_MANIFESTS[1])


def file_range() -> FileRange:
    return FileRange(_device, *_FILES)


def engine_uart() -> UART:
    return UART(ENGINE_UART, 9600)


def link_uart() -> UART:
    return UART(LINK_UART, LINK_BAUDS[0])


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


def reset_cause() -> int:
    """machine.reset_cause(); 1 = power on."""
    return 1
