"""Every Error of the link becomes one exception with a stable code, whose doing it is, and words in three languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plomba.errors import TerminalError, TerminalRefused, VerificationError, codes
from plomba.texts import LANGUAGES
from plomba_wire.schema import VOCABULARY

ROOT = Path(__file__).resolve().parents[2]
ERRORS = VOCABULARY["error"]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_the_link_as_an_exception(name: str) -> None:
    entry = ERRORS[name]
    error = TerminalRefused(entry["code"], "SyncOpen", 41, 500, "0123456789abcdef")
    assert error.code == f"refused_{name.lower()}" in codes()
    assert error.blame == entry["blame"] in ("ours", "theirs", "link")
    assert (error.link_code, error.detail) == (entry["code"], 41)
    assert error.position == (41 if entry.get("place") else None)
    assert (error.retry, error.retry_after) == (bool(entry.get("retry")), 500)
    assert (error.terminal, error.exit_status) == ("0123456789abcdef", 3)
    for language in LANGUAGES:
        assert entry[language] in error.what(language) and "SyncOpen" in error.what(language)
        assert error.next_step(language)


def test_the_specification_has_this_table() -> None:
    spec = (ROOT / "protocol" / "SPEC.md").read_text(encoding="utf-8")
    section = spec[spec.index("<!-- begin errors -->") :]
    rows = re.findall(r"^\| `(\w\w)` \| (\w+) \| (\w+) \| (\w*) *\| `(\w+)` \|", section, re.MULTILINE)
    for code, name, blame, again, raised in rows:
        error = TerminalRefused(int(code, 16), "Ping", 0, 0, "")
        assert (error.code, error.blame, error.retry) == (raised, blame, again == "yes"), name
    assert [row[1] for row in rows] == list(ERRORS)


def test_errors_of_the_link_say_whose_doing_they_are() -> None:
    lost = TerminalError("link_lost", port="/dev/x", reason="gone")
    assert (lost.blame, lost.terminal, lost.position) == ("link", None, None)
    fork = VerificationError("chain_fork", terminal="00ff", seq=7)
    assert (fork.blame, fork.terminal, fork.position) == ("theirs", "00ff", 7)
    assert TerminalError("port_busy", port="/dev/x").blame == "ours"
