"""`plomba staff`: what it says of a list, the object it signs, the line that stands for a PIN."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plomba.desk.staff import compile_list
from plomba.trust.organisation import Organisation
from plomba_wire.codec import StaffList
from plomba_wire.pin_proof import pin_proof
from plomba_wire.vocabulary import ObjectKind

Run = Callable[..., tuple[int, str, str]]

LIST = """number = 3
[[badge]]
number = 42
name = "Анна"
hand = "CLERK"
pin = "1234"
[[badge]]
number = 7
hand = "SUPERVISOR"
until = 2020-01-01T00:00:00Z
"""


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return Organisation.create(tmp_path_factory.mktemp("staff") / "org", now=int(time.time()))


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "staff.toml"
    path.write_text(LIST, encoding="utf-8")
    return path


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_check_says_what_is_in_a_list(run: Run, listed: Path) -> None:
    status, out, _ = run("staff", "check", listed)
    assert status == 0
    assert json.loads(out) == {"number": 3, "badges": 2, "without_pin": [7], "pin_in_file": [42], "ended": [7]}
    listed.write_text(LIST.replace("CLERK", "COOK"), encoding="utf-8")
    status, out, said = run("staff", "check", listed)
    assert (status, out) == (2, "") and "badge 1 (line 2): hand COOK" in said and "[staff_invalid]" in said


def test_what_is_signed_is_the_desks_word(run: Run, listed: Path, organisation: Organisation, tmp_path: Path) -> None:
    out = tmp_path / "staff.obj"
    status, said, _ = run("staff", "sign", listed, "--org", organisation.folder, "-o", out)
    assert status == 0 and json.loads(said)["number"] == 3
    signed = organisation.trust.open(out.read_bytes(), ObjectKind.STAFF, now=int(time.time()))
    assert signed.envelope.version == 3 and signed.envelope.key_id == organisation.desk.key.id
    assert StaffList.unpack(signed.body).owner == organisation.desk.key.public
    assert "Анна".encode() not in out.read_bytes()


def test_the_number_has_to_rise(run: Run, listed: Path, organisation: Organisation, tmp_path: Path) -> None:
    out = tmp_path / "staff.obj"
    sign = ("staff", "sign", listed, "--org", organisation.folder, "-o", out)
    assert run(*sign)[0] == 0 and run(*sign)[0] == 0, "the same list may be signed again"
    held = out.read_bytes()
    for text in (LIST.replace("number = 42", "number = 43"), LIST.replace("number = 3", "number = 2", 1)):
        listed.write_text(text, encoding="utf-8")
        status, _, said = run(*sign)
        assert status == 2 and "[staff_number]" in said and out.read_bytes() == held
    listed.write_text(LIST.replace("number = 3", "number = 4", 1), encoding="utf-8")
    assert run(*sign)[0] == 0 and out.read_bytes() != held


def test_a_pin_becomes_a_line_for_the_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = set()
    for _ in range(2):
        typed(monkeypatch, "1234\n")
        status, out, _ = run("staff", "pin", "42")
        assert status == 0 and "1234" not in re.sub(r"[0-9a-f]{16}:[0-9a-f]{32}", "", out)
        lines.add(out)
        [badge] = compile_list(f'number = 1\n[[badge]]\nnumber = 42\nhand = "CLERK"\n{out}', "staff.toml").badges
        assert badge.proof == pin_proof(badge.salt, 42, b"1234")
    assert len(lines) == 2, "another salt each time"


@pytest.mark.parametrize("text", ["", "123\n", "123456789\n", "12a4\n", "１２３４\n"])
def test_what_is_no_pin_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    typed(monkeypatch, text)
    status, out, said = run("staff", "pin", "42")
    assert (status, out) == (2, "") and "[staff_pin]" in said
    assert not text.strip() or text.strip() not in said


def test_a_badge_has_nine_digits(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "1234\n")
    for badge in ("0", "1000000000"):
        assert "[staff_badge]" in run("staff", "pin", badge)[2]
