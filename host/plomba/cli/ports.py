"""`plomba ports`: what is connected."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from plomba.transport import ports as transport_ports


def ports(*, json_: Annotated[bool, Parameter(name="--json", negative="", help="One JSON list.")] = False) -> int:
    """List the serial ports of this machine: name, USB id, USB serial number, DTR and RTS while open, description.

    A terminal can be named by its serial number, whatever its port is called now: usb:SERIALNUMBER.
    """
    found = transport_ports.ports()
    if json_:
        print(json.dumps([asdict(port) for port in found], ensure_ascii=False))
        return 0
    for port in found:
        lines = f"dtr={port.lines.dtr:d} rts={port.lines.rts:d} ({port.lines.name})"
        print("  ".join((port.device, port.usb or "-", port.serial_number or "-", lines, port.description)))
    return 0
