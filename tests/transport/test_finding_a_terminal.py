"""Ports that are busy, denied, renamed or twins: which terminal it is, and how long to wait for it."""

from __future__ import annotations

import asyncio
import json
import os
import tty
from pathlib import Path

import pytest
from machine import Machine, busy, denied
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from plomba.cli.ports import ports as ports_command
from plomba.errors import TerminalError
from plomba.transport import find_port, open_transport


async def fails(machine: Machine, port: str, patience: float = 0.0) -> TerminalError:
    with pytest.raises(TerminalError) as caught:
        await machine.transport(port, patience).open()
    return caught.value


def test_trap_20_a_port_that_another_program_holds_is_told_at_once() -> None:
    machine = Machine()
    machine.plug("/dev/ttyX0").fails_open = [busy()] * 9
    assert asyncio.run(fails(machine, "/dev/ttyX0")).code == "port_busy"
    assert machine.slept == []


@pytest.mark.parametrize("why", [busy, denied])
def test_trap_20_access_denied_for_five_seconds_after_plug_in(why: object) -> None:
    machine = Machine()
    port = machine.plug("/dev/ttyX0", "2e8a:0005")
    began = machine.now
    error = denied() if why is denied else busy()

    def as_time_goes() -> None:
        port.fails_open = [error] if machine.now - began < 5.0 else []

    machine.on_sleep = as_time_goes
    as_time_goes()

    async def scenario() -> None:
        transport = machine.transport("/dev/ttyX0", patience=8.0)
        await transport.open()
        await transport.close()

    asyncio.run(scenario())
    assert 5.0 <= sum(machine.slept) <= 6.0
    assert machine.slept == sorted(machine.slept) and max(machine.slept) == 1.0, "it backs off"
    assert port.resets == 0


def test_trap_20_patience_ends() -> None:
    machine = Machine()
    machine.plug("/dev/ttyX0").fails_open = [denied()] * 99
    assert asyncio.run(fails(machine, "/dev/ttyX0", 3.0)).code == "port_denied"
    assert 2.0 <= sum(machine.slept) <= 3.0


def test_trap_20_two_handhelds_of_one_kind_are_told_apart_by_their_serial_number() -> None:
    machine = Machine()
    first = machine.plug("/dev/ttyACM0", "2e8a:0005", "E661410403111111")
    second = machine.plug("/dev/ttyACM1", "2e8a:0005", "e661410403222222")

    async def scenario() -> None:
        transport = machine.transport("usb:E661410403222222")
        assert transport.name == "usb:E661410403222222"
        await transport.open()
        await transport.write(b"for the second")
        await transport.close()

    asyncio.run(scenario())
    assert (bytes(first.out), bytes(second.out)) == (b"", b"for the second")
    assert find_port("e661410403111111", machine.system) == "/dev/ttyACM0"


def test_trap_20_nobody_and_two_with_the_number() -> None:
    machine = Machine()
    machine.plug("/dev/ttyACM0", "2e8a:0005", "1")
    machine.plug("/dev/ttyACM1", "2e8a:0005", "1")
    machine.plug("/dev/ttyS0")
    for number in ("2", "", "None"):
        with pytest.raises(TerminalError) as caught:
            find_port(number, machine.system)
        assert (caught.value.code, caught.value.fields["port"]) == ("port_missing", f"usb:{number}")
    ambiguous = asyncio.run(fails(machine, "usb:1"))
    assert ambiguous.code == "port_ambiguous"
    assert ambiguous.fields["found"] == "/dev/ttyACM0, /dev/ttyACM1"


def test_trap_20_the_name_changes_when_it_comes_back() -> None:
    machine = Machine()
    machine.plug("/dev/ttyACM0", "2e8a:0005", "E66")

    async def scenario() -> None:
        transport = machine.transport("usb:E66")
        await transport.open()
        machine.pull("/dev/ttyACM0")
        with pytest.raises(TerminalError):
            await transport.read()
        await transport.close()
        again = machine.transport("usb:E66", patience=5.0)
        machine.on_sleep = lambda: machine.plug("/dev/ttyACM1", "2e8a:0005", "E66") if machine.now > 101 else None
        await again.open()
        await again.write(b"here again")
        await again.close()

    asyncio.run(scenario())
    assert bytes(machine.ports["/dev/ttyACM1"].out) == b"here again"
    assert machine.slept, "it was away for a moment"


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals are POSIX")
def test_trap_20_through_the_front_door(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    info = ListPortInfo(os.ttyname(slave), skip_link_detection=True)
    info.vid, info.pid, info.serial_number = 0x303A, 0x1001, "A0:B1"
    monkeypatch.setattr(list_ports, "comports", lambda: [info])

    async def scenario() -> None:
        transport = open_transport("usb:a0:b1")
        await transport.open()
        await transport.write(b"ping")
        await transport.close()

    asyncio.run(scenario())
    assert os.read(master, 9) == b"ping"
    os.close(slave)
    os.close(master)


@pytest.mark.skipif(os.name != "posix", reason="symbolic links of udev are Linux's")
def test_the_policy_is_found_through_a_link(tmp_path: Path) -> None:
    machine = Machine()
    device = tmp_path / "ttyUSB0"
    device.touch()
    (tmp_path / "by-id").symlink_to(device)
    port = machine.plug(str(device), "10c4:ea60")
    machine.ports[str(tmp_path / "by-id")] = port

    async def scenario() -> None:
        transport = machine.transport(str(tmp_path / "by-id"))
        await transport.open()
        assert port.levels[-1] == (False, False)
        await transport.close()

    asyncio.run(scenario())


def test_a_device_that_goes_while_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[object] = [TypeError("int() can't convert non-string with explicit base"), []]

    def comports() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(list_ports, "comports", comports)
    with pytest.raises(TerminalError) as caught:
        find_port("E66")
    assert caught.value.code == "port_missing"


def test_the_ports_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine()
    machine.plug("/dev/ttyUSB10", "10c4:ea60", "0001")
    machine.plug("/dev/ttyACM0", "2e8a:0005", "E66")
    machine.plug("/dev/ttyS0")
    monkeypatch.setattr(list_ports, "comports", machine.system.comports)
    assert ports_command() == 0
    assert capsys.readouterr().out.splitlines() == [
        "/dev/ttyACM0  2e8a:0005  E66  dtr=1 rts=1 (MicroPython USB CDC)  n/a",
        "/dev/ttyS0  -  -  dtr=1 rts=1 (unknown device)  n/a",
        "/dev/ttyUSB10  10c4:ea60  0001  dtr=0 rts=0 (CP2102 bridge)  n/a",
    ]
    assert ports_command(json_=True) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [port["serial_number"] for port in listed] == ["E66", None, "0001"]
    assert (listed[2]["usb"], listed[2]["lines"]["dtr"]) == ("10c4:ea60", False)
    assert listed[2]["lines"]["why"]
