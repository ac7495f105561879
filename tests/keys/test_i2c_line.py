"""The simulated board's I²C bus: what a board's `machine.I2C` does, on a socket."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from plomba.sim.atecc608 import Atecc608, Fault
from plomba.sim.i2c_line import I2cLine
from plomba.sim.interpreter import firmware_path, interpreter

STEP_S = 0.002


def test_a_board_on_the_bus(tmp_path: Path) -> None:
    """Every transfer takes 2 ms here; the last but one is held, and times out."""
    chip = Atecc608()
    line = I2cLine(chip, lambda: None)
    ours, theirs = socket.socketpair()
    panel, panel_end = socket.socketpair()
    process = subprocess.Popen(
        [str(interpreter()), str(Path(__file__).with_name("i2c_mpy.py"))],
        env={
            **os.environ,
            "MICROPYPATH": ":".join([*map(str, firmware_path()), ".frozen"]),
            "SIM_PANEL_FD": str(panel_end.fileno()),
            "SIM_I2C0_FD": str(theirs.fileno()),
        },
        pass_fds=[theirs.fileno(), panel_end.fileno()],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    theirs.close()
    now = 0.0
    with ours, panel, panel_end:
        while data := ours.recv(4096):
            now += STEP_S
            if b"\x30\x00\x00\x00\x03\x5d" in data:
                chip.script(Fault.DEAD, 1)
            ours.sendall(line.receive(data, now))
    printed, _ = process.communicate(timeout=10)
    assert process.returncode == 0, printed
    assert printed.splitlines() == [
        "[]",
        "errno 19",
        "04113343",
        "[96]",
        "errno 19",
        "8",
        "errno 110",
        "errno 19",
        "070000600383bb",
        "True",
    ]


def test_transfers_that_arrive_in_pieces(tmp_path: Path) -> None:
    line = I2cLine(Atecc608(), lambda: None)
    wake, read = b"W\x00\x00\x01\x00", b"R\x60\x00\x04"
    assert [line.receive(bytes([byte]), 0.0) for byte in wake] == [b"", b"", b"", b"", b"\x13"]
    assert line.receive(read[:2], 0.002) == b""
    assert line.receive(read[2:] + read, 0.002) == b"\x00\x04\x11\x33\x43" + b"\x00\xff\xff\xff\xff"
