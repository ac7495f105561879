"""DTR and RTS of a port: how they stand by device (`lines.toml`), and how they get there without resetting it.

RTS without DTR is the one state that resets an ESP board. So the lines start as the system leaves them at open, move
one at a time, DTR first when they rise and RTS first when they fall, and are down before close, where Windows drops DTR
first (micropython #9659).
"""

from __future__ import annotations

import errno
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import serial

RISE_ON_OPEN = os.name == "posix"
"""open(2) itself raises both lines, both at once: tty_port_raise_dtr_rts in Linux, IOSerialFamily in macOS."""

_NO_SUCH_LINE = (errno.ENOTTY, errno.EINVAL)


@dataclass(frozen=True, slots=True)
class Lines:
    """How DTR and RTS stand while the port is open; True is asserted. `why` names the source."""

    name: str
    dtr: bool
    rts: bool
    why: str


def lines_of(vid: int | None, pid: int | None) -> Lines:
    """The policy for a USB device; for anything else the default."""
    table = _table()
    usb = "*" if vid is None or pid is None else f"{vid:04x}:{pid:04x}"
    return table.get(usb, table["*"])


def before_open(port: serial.SerialBase, rise_on_open: bool = RISE_ON_OPEN) -> None:
    """On an unopened port: it will ask for the state that the system gives it anyway, so open makes no edge."""
    port.dtr = port.rts = rise_on_open


def after_open(port: serial.SerialBase, lines: Lines) -> None:
    """Brings the lines to where they belong. Raises OSError when the port is gone."""
    for wanted, name in ((True, "dtr"), (True, "rts"), (False, "rts"), (False, "dtr")):
        if getattr(lines, name) == wanted and getattr(port, name) != wanted:
            _set(port, name, wanted)


def before_close(port: serial.SerialBase) -> None:
    """Lets both lines fall. Raises OSError when the port is gone."""
    for name in ("rts", "dtr"):
        if getattr(port, name):
            _set(port, name, False)


def _set(port: serial.SerialBase, name: str, state: bool) -> None:
    try:
        setattr(port, name, state)
    except OSError as error:
        # A pseudo terminal.
        if error.errno not in _NO_SUCH_LINE:
            raise


@cache
def _table() -> dict[str, Lines]:
    text = resources.files("plomba.transport").joinpath("lines.toml").read_text(encoding="utf-8")
    return {usb: Lines(**entry) for usb, entry in tomllib.loads(text).items()}
