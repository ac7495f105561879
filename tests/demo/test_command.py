"""Every refusal names the thing, the reason and the next step, with a stable code and an exit status."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest
from test_demo import plomba

import plomba as package
from plomba import errors
from plomba.errors import PlombaError
from plomba.texts import LANGUAGES, _catalogue

SECRET = "correct horse battery staple"
SOURCES = sorted(Path(package.__file__).parent.rglob("*.py"))


def organisation(folder: Path) -> None:
    """Its passphrase lies in a file that this process's children are told of."""
    passphrase = folder.with_name("passphrase")
    passphrase.touch(mode=0o600)
    passphrase.write_text(SECRET, encoding="utf-8")
    os.environ["PLOMBA_PASSPHRASE_FILE"] = str(passphrase)
    ran = plomba("org", "init", str(folder))
    assert ran.returncode == 0 and SECRET not in ran.stdout + ran.stderr, ran.stderr


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test names in the environment is gone behind it."""
    monkeypatch.setenv("PLOMBA_PASSPHRASE_FILE", "")


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("verify", "nothing.plomba"), 4, "root_unpinned"),
        (("verify", "nothing.plomba", "--root", "zz"), 2, "root_unreadable"),
        (("verify", "nothing.plomba", "--root", "00" * 32), 2, "file_missing"),
        (("dock", "sync", "/dev/nothing", "--org", "{tmp}/org", "--ledger", "{tmp}/l.db"), 3, "port_missing"),
        (("dock", "sync", "/dev/nothing", "--org", "{tmp}/none", "--ledger", "{tmp}/l.db"), 1, "org_missing"),
        (("enroll", "/dev/nothing", "--org", "{tmp}/org", "--ledger", "{tmp}/l.db", "--place", "1"), 3, "port_missing"),
        (("org", "init", "{tmp}/org"), 1, "key_exists"),
        (("desk", "import", "{tmp}/none.csv", "--desk", "http://127.0.0.1:1"), 2, "file_missing"),
        (("evidence", "X", "--ledger", "{tmp}/l.db", "--org", "{tmp}/org", "--out", "{tmp}/x"), 1, "pack_empty"),
    ],
)
def test_refusals(arguments: tuple[str, ...], status: int, code: str, tmp_path: Path) -> None:
    organisation(tmp_path / "org")
    ran = plomba(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert (ran.returncode, re.findall(r"\[(\w+)\]", ran.stderr)) == (status, [code]), ran.stderr
    assert "Traceback" not in ran.stderr and "→" in ran.stderr


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    organisation(tmp_path / "org")
    (tmp_path / "org" / "dock.pem").chmod(0o644)
    ran = plomba("dock", "sync", "x", "--org", str(tmp_path / "org"), "--ledger", str(tmp_path / "l.db"))
    assert ran.returncode == 1 and "[key_readable]" in ran.stderr


def test_wrong_usage_is_2() -> None:
    for arguments in (("verify",), ("nonsense",), ("demo", "--seed", "x")):
        assert plomba(*arguments).returncode == 2


def _raised_codes() -> set[str]:
    """First string argument of every call of an error class in the host package."""
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes and node.args:
                found |= {argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    return found


def test_every_code_that_is_raised_has_its_texts() -> None:
    raised = _raised_codes()
    assert len(raised) > 30
    assert raised <= set(errors.codes())


def test_every_error_has_every_language_and_a_status() -> None:
    for code, entry in errors._entries().items():
        assert entry["exit"] in (1, 2, 3, 4, 5), code
        fields = [set(re.findall(r"{(\w+)}", " ".join(entry[lang]))) for lang in LANGUAGES]
        assert fields[0] == fields[1] == fields[2], code
        assert all(len(entry[lang]) == 2 and all(entry[lang]) for lang in LANGUAGES), code


@pytest.mark.parametrize("name", ["cards", "demo", "desk", "evidence", "org", "recovery_sheet"])
def test_every_text_has_every_language(name: str) -> None:
    for key, entry in _catalogue(name).items():
        assert set(entry) == set(LANGUAGES), key


def test_a_field_from_paper_cannot_steer_the_console() -> None:
    error = PlombaError("pack_empty", order="\x1b[2J\u202eevil\n")
    assert error.what("en").isprintable()


def test_help_is_there_for_every_command() -> None:
    ran = plomba("--help")
    assert ran.returncode == 0
    commands = ("demo", "verify", "enroll", "dock", "desk", "org", "evidence", "ports", "dissect", "cards", "bench")
    for command in commands:
        assert command in ran.stdout
