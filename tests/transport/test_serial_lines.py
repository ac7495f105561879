"""DTR and RTS: open, every way to close, and a lost device make no edge that resets a board."""

from __future__ import annotations

import asyncio
import tomllib
from importlib import resources

import pytest
from machine import Machine
from recording_port import RecordingPort
from serial.serialutil import SerialException

from plomba.errors import TerminalError
from plomba.transport.lines import lines_of

ESP = ("10c4:ea60", "1a86:7523", "0403:6001", "303a:1001")
EVERYONE = (*ESP, "2e8a:0005", "dead:beef", None)
SYSTEMS = pytest.mark.parametrize("windows", [False, True], ids=["posix", "windows"])


@SYSTEMS
@pytest.mark.parametrize("usb", EVERYONE)
def test_trap_19_open_and_close_make_no_reset_edge(usb: str | None, windows: bool) -> None:
    machine = Machine(windows)
    port = machine.plug("/dev/ttyX0", usb)

    async def scenario() -> list[tuple[bool, bool]]:
        for _ in range(2):
            transport = machine.transport("/dev/ttyX0")
            await transport.open()
            await transport.write(b"hello")
            stood = port.levels[-1]
            assert stood == (usb not in ESP, usb not in ESP)
            await transport.close()
            assert port.levels[-1] == (False, False)
        return port.levels

    asyncio.run(scenario())
    assert port.calls.count("open") == port.calls.count("close") == 2
    assert port.resets == 0, port.levels
    assert bytes(port.out) == b"hello" * 2


@pytest.mark.parametrize("usb", ESP)
def test_trap_19_an_esp_board_sees_no_edge_at_all_on_windows(usb: str) -> None:
    machine = Machine(windows=True)
    port = machine.plug("COM7", usb)

    async def scenario() -> None:
        transport = machine.transport("COM7")
        await transport.open()
        await transport.close()

    asyncio.run(scenario())
    assert port.levels == [(False, False)]


@SYSTEMS
@pytest.mark.parametrize("usb", EVERYONE)
def test_trap_19_a_lost_link_makes_no_reset_edge(usb: str | None, windows: bool) -> None:
    machine = Machine(windows)
    port = machine.plug("/dev/ttyX0", usb)
    port.fails_write_after = 3

    async def scenario() -> None:
        transport = machine.transport("/dev/ttyX0")
        await transport.open()
        await transport.write(b"hello")
        with pytest.raises(TerminalError):
            await transport.read()
        await transport.close()

    asyncio.run(scenario())
    assert port.calls[-1] == "close" and port.resets == 0


@SYSTEMS
def test_trap_19_pyserial_alone_would_have_reset_the_board(windows: bool) -> None:
    """The recorder sees the edge it is there for. POSIX: both low, set before open. Windows: pyserial's default."""
    port = RecordingPort(windows)
    port.dtr = port.rts = windows
    port.open()
    port.close()
    assert port.resets > 0


def test_trap_19_a_host_is_announced_to_micropython_before_a_byte_goes_out() -> None:
    machine = Machine(windows=True)
    port = machine.plug("COM3", "2e8a:0005")

    async def scenario() -> None:
        transport = machine.transport("COM3")
        await transport.open()
        assert port.levels[-1][0], "DTR"
        await transport.close()

    asyncio.run(scenario())
    assert port.calls[:3] == ["open", "dtr=1", "rts=1"]
    assert port.calls[-3:] == ["rts=0", "dtr=0", "close"], "it hears that the host left"


def test_trap_19_a_policy_never_is_the_reset_state_and_names_its_source() -> None:
    text = resources.files("plomba.transport").joinpath("lines.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    assert {"*", *ESP, "2e8a:0005"} == set(entries)
    for usb, entry in entries.items():
        assert (entry["dtr"], entry["rts"]) != (False, True), usb
        assert entry["why"]
        assert usb == "*" or lines_of(*(int(part, 16) for part in usb.split(":"))).name == entry["name"]
    assert lines_of(None, None) == lines_of(0xDEAD, 0xBEEF) == lines_of(0x2E8A, None)


def test_a_device_that_goes_while_its_lines_are_set() -> None:
    machine = Machine()
    port = machine.plug("/dev/ttyX0", "303a:1001")

    class Gone(RecordingPort):
        def _update_rts_state(self) -> None:
            if self.is_open:
                raise SerialException("device reports readiness")
            super()._update_rts_state()

    port = machine.ports["/dev/ttyX0"] = Gone()

    async def scenario() -> None:
        with pytest.raises(TerminalError) as caught:
            await machine.transport("/dev/ttyX0").open()
        assert caught.value.code == "port_failed"

    asyncio.run(scenario())
    assert not port.is_open


def test_the_receive_buffer_is_asked_for_where_a_port_has_one() -> None:
    machine = Machine()
    port = machine.plug("COM7")

    async def scenario() -> None:
        transport = machine.transport("COM7")
        await transport.open()
        await transport.close()

    asyncio.run(scenario())
    assert "rx_size=65536" in port.calls
