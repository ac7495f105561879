"""`plomba dissect` as it is typed: its exit codes, its two kinds of output, and a port it only listens to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import DIGESTS, EPOCH, OBJECTS, RECORDS, ROOT, Recorded, wire

from plomba import capture
from plomba.ledger import Enrolled, Ledger
from plomba.trust.keys import fingerprint
from plomba_wire import chain, codec

RECEIPT = bytes.fromhex(OBJECTS["good"][0]["bundle"])
PUBLIC = bytes.fromhex(OBJECTS["keys"]["terminal"]["public"])
COMMAND = [sys.executable, "-m", "plomba", "dissect"]
ENVIRONMENT = {**os.environ, "PLOMBA_LANG": "en", "PYTHONIOENCODING": "utf-8"}


def dissect(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=ENVIRONMENT, timeout=60)


def code(ran: subprocess.CompletedProcess[str]) -> tuple[int, list[str]]:
    assert "Traceback" not in ran.stderr
    return ran.returncode, re.findall(r"\[(\w+)\]", ran.stderr)


@pytest.fixture
def docking(tmp_path: Path) -> Path:
    made = Recorded().opened().syncing().records(1, *RECORDS)
    made.down(codec.Credit(4, 512, 0, b""), 3).up(codec.SyncEnd(4, DIGESTS[3]), 2).down(codec.Receipt(RECEIPT), 4)
    return made.raw(0, b"\x05ab\0").down(codec.Bye(0)).write(tmp_path / "docking.plcap")


def test_a_dump_for_a_person(docking: Path) -> None:
    ran = dissect(docking)
    assert code(ran) == (0, []), "damage on the line is no error"
    assert "← terminal  @" in ran.stdout and "action=HANDOUT (0x33)" in ran.stdout and "bad_cobs" in ran.stdout
    assert "efficiency: " in ran.stdout and "\x1b" not in ran.stdout, "no colours where there is no terminal"


def test_json_accounts_for_the_whole_file(docking: Path) -> None:
    ran = dissect(docking, "--json")
    found: Any = json.loads(ran.stdout)
    assert code(ran) == (0, []) and list(found) == ["entries", "summary"]
    sizes = sum(entry["size"] for entry in found["entries"])
    assert 7 + 13 * found["summary"]["chunks"] + sizes == docking.stat().st_size
    documented = (Path(__file__).parents[2] / "docs" / "captures.md").read_text(encoding="utf-8")
    for key in [*found["entries"][0], *found["summary"], *found["summary"]["records"][0]]:
        assert f"`{key}`" in documented, f"{key} is not described"
    for kind in {entry["kind"] for entry in found["entries"]}:
        assert f"`{kind}`" in documented


def test_an_empty_capture(tmp_path: Path) -> None:
    path = tmp_path / "empty.plcap"
    path.write_bytes(capture.MAGIC)
    ran = dissect(path, "--json")
    assert code(ran) == (0, []) and json.loads(ran.stdout)["entries"] == []
    assert code(dissect(path)) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("none.plcap",), (2, ["capture_unreadable"])),
        ((__file__,), (2, ["capture_unreadable"])),
        (("x" * 5000,), (2, ["capture_unreadable"])),
        ((__file__, "--seconds", "1"), (2, ["dissect_port_only"])),
        ((__file__, "--capture", "x.plcap"), (2, ["dissect_port_only"])),
        ((__file__, "--ledger", "none.db"), (2, ["file_missing"])),
        ((__file__, "--root", "zz"), (2, ["root_unreadable"])),
        (("/dev/nothing",), (3, ["port_missing"])),
        (("usb:NOTHING",), (3, ["port_missing"])),
        (("socket://127.0.0.1",), (2, ["port_address"])),
    ],
)
def test_refusals(arguments: tuple[str, ...], expected: tuple[int, list[str]]) -> None:
    ran = dissect(*arguments)
    assert code(ran) == expected and ran.stdout == "" and "→" in ran.stderr


def test_keys_from_a_ledger_and_a_root(docking: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "dock.db"
    with Ledger.open(ledger) as book:
        book.enrol(Enrolled(chain.key_id(PUBLIC), PUBLIC, EPOCH, "bench", 7, b""))
    assert json.loads(dissect(docking, "--json").stdout)["summary"]["signatures"] == {"ok": 1, "bad": 0, "unchecked": 4}
    (tmp_path / "root.pub").write_bytes(ROOT)
    (tmp_path / "root.hex").write_text(ROOT.hex(), encoding="ascii")
    (tmp_path / "root.fingerprint").write_text(fingerprint(ROOT) + "\n", encoding="ascii")
    for root in (ROOT.hex(), *(tmp_path / f"root.{name}" for name in ("pub", "hex", "fingerprint"))):
        ran = dissect(docking, "--json", "--ledger", ledger, "--root", root)
        assert code(ran) == (0, []), root
        assert json.loads(ran.stdout)["summary"]["signatures"] == {"ok": 5, "bad": 0, "unchecked": 0}, root
    found = json.loads(dissect(docking, "--json", "--root", fingerprint(ROOT)).stdout)["summary"]["signatures"]
    assert found == {"ok": 1, "bad": 0, "unchecked": 4}, "a fingerprint alone is no key"


def test_a_signature_that_does_not_fit_is_exit_4_after_the_whole_dump(docking: Path) -> None:
    ran = dissect(docking, "--json", "--root", "00" * 32)
    assert code(ran) == (4, ["dissect_signature_bad"])
    assert json.loads(ran.stdout)["summary"]["signatures"]["bad"] == 2
    person = dissect(docking, "--root", "00" * 32)
    assert "signature bad, by another root" in person.stdout and "efficiency" in person.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a shell with pipes")
def test_a_reader_who_has_enough(tmp_path: Path) -> None:
    made = Recorded().opened()
    for tag in range(1, 3000):
        made.down(codec.Ping(bytes(8)), tag)
    path = made.write(tmp_path / "long.plcap")
    process = subprocess.Popen(
        [*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith("#1 ")
    process.stdout.close()
    assert (process.stderr.read(), process.wait(30)) == ("", 0)


@pytest.fixture
def far_end() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def listening(far_end: socket.socket, *arguments: str) -> tuple[subprocess.Popen[str], socket.socket]:
    port = f"socket://127.0.0.1:{far_end.getsockname()[1]}"
    process = subprocess.Popen(
        [*COMMAND, port, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=ENVIRONMENT,
    )
    return process, far_end.accept()[0]


def test_a_port_is_listened_to_until_the_line_ends(far_end: socket.socket, tmp_path: Path) -> None:
    kept = tmp_path / "kept.plcap"
    process, line = listening(far_end, "--json", "--capture", str(kept))
    with line:
        line.sendall(wire(codec.Announce(3)) + wire(codec.Announce(4))[:-1])
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b"", "not a word was said"
    out, errors = process.communicate(timeout=30)
    lines = [json.loads(text) for text in out.splitlines()]
    assert process.returncode == 3 and "[link_lost]" in errors and "Traceback" not in errors
    assert [line.get("kind") for line in lines] == ["frame", "unfinished", None]
    assert lines[-1]["summary"]["bytes"] == lines[0]["size"] + lines[1]["size"]
    again = json.loads(dissect(kept, "--json").stdout)
    assert [entry["kind"] for entry in again["entries"]] == ["frame", "unfinished"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A job in a shell's background is started with SIGINT ignored, and so is all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to one process")
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_is_the_usual_end_of_listening(far_end: socket.socket) -> None:
    process, line = listening(far_end, "--json")
    assert process.stdout is not None
    with line:
        line.sendall(wire(codec.Announce(3)))
        assert json.loads(process.stdout.readline())["type"] == "Announce", "shown as it arrives"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "") and "summary" in json.loads(out)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
def test_colours_on_a_terminal(docking: Path) -> None:
    near, far = os.openpty()
    ran = subprocess.Popen([*COMMAND, str(docking)], stdout=far, env={**ENVIRONMENT, "TERM": "xterm-256color"})
    os.close(far)
    out = b""
    while piece := _read(near):
        out += piece
    os.close(near)
    assert ran.wait(30) == 0 and b"\x1b[" in out and b"HANDOUT" in out


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        # Linux says so when nobody holds the other end any more.
        return b""


def test_listening_for_some_seconds(far_end: socket.socket) -> None:
    process, line = listening(far_end, "--seconds", "0")
    with line:
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "") and "0 bytes in 0 chunks" in out
