"""What CPython does faster another way; MicroPython never imports it. Tests hold each to the version both share."""

import struct
from collections.abc import Callable
from typing import Any

from plomba_wire.layout import Layout, Malformed

_RUN = 255
"""A COBS code with no zero behind its run."""


def cobs_decode(data: "bytes | memoryview") -> bytes:
    """As framing.cobs_decode, four times as fast. Raises Malformed.

    What COBS encodes stands where it will stand, one byte further on, with a code where a zero was: so the codes are
    made zeros again, and nothing is moved. Only behind a run of 254 there was no zero; that code is taken out.
    """
    out = bytearray(data)
    if out.find(0) >= 0:
        raise Malformed("COBS")
    end = len(out)
    at = 0
    without: list[int] = []
    while at < end:
        code = out[at]
        out[at] = 0
        at += code
        if code == _RUN:
            without.append(at)
    if at > end:
        raise Malformed("COBS")
    for place in reversed(without):
        del out[place : place + 1]
    return bytes(out[1:])


def reader(layout: type[Layout]) -> Callable[[bytes, int], Any]:
    """A function that reads as `layout.read(data, at)` does, compiled from its tables, as namedtuple does."""
    assert layout.TAIL is None
    places = len(struct.unpack(layout.FORMAT, bytes(layout.SIZE)))
    constants = dict(layout.CONSTANTS)
    codes = dict(layout.CODES)
    names = iter(layout.FIELDS)
    checks = [f"v{at} != {constant!r}" for at, constant in constants.items()]
    checks += [f"v{at} not in c{at}" for at in codes]
    stores = [f"    self.{next(names)} = v{at}" for at in range(places) if at not in constants]
    source = "\n".join(
        [
            "def read(data, at):",
            "    try:",
            f"        {', '.join(f'v{at}' for at in range(places))}, = unpack(data, at)",
            "    except error:",
            "        return slow(data, at)",
            f"    if {' or '.join(checks) or 'False'}:",
            "        return slow(data, at)",
            "    self = new(layout)",
            *stores,
            "    return self",
        ]
    )
    scope: dict[str, Any] = {
        "unpack": struct.Struct(layout.FORMAT).unpack_from,
        "error": struct.error,
        "slow": layout.read,
        "new": object.__new__,
        "layout": layout,
        **{f"c{at}": frozenset(allowed) for at, allowed in codes.items()},
    }
    exec(source, scope)
    read: Callable[[bytes, int], Any] = scope["read"]
    return read
