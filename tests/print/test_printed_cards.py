"""Which cards there are: the vocabulary's, all of them, and of a value only what a terminal takes."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba.cli import main
from plomba.errors import PlombaError, UsageError, codes
from plomba.print import cards
from plomba.print.sheet import Group
from plomba.texts import LANGUAGES
from plomba_wire.schema import VOCABULARY

COMMANDS = VOCABULARY["command"]
NEVER = {"CUSTOMER", "PHOTO"}
"""A customer's code is the customer's own secret; a photo's code is shown by whoever took it."""
NUMBERED = {"REASON": "reason", "RESULT": "condition"}


def texts(groups: list[Group]) -> list[str]:
    return [card.text for group in groups for card in group.cards]


def codes_of(only: str) -> list[str]:
    return texts(cards.groups(only, "en"))


def refusal(only: str) -> str:
    with pytest.raises(UsageError) as raised:
        cards.groups(only, "en")
    assert raised.value.exit_status == 2
    return raised.value.code


def test_every_mode_command_reason_result_and_sign_has_its_card() -> None:
    expected = {f"PLB*{name}" for name in VOCABULARY["mode"]}
    expected |= {f"PLB*{name}" for name, entry in COMMANDS.items() if "takes" not in entry}
    for command, section in NUMBERED.items():
        expected |= {f"PLB*{command}*{entry['code']}" for entry in VOCABULARY[section].values()}
    expected |= {f"PLB*DIGIT*{sign}" for sign in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"}
    for command, values in {"PART": range(1, 6), "LATE": (15, 30, 60, 120)}.items():
        expected |= {f"PLB*{command}*{value}" for value in values if "takes" in COMMANDS[command]}
    found = texts(cards.groups(None, "ru"))
    assert len(found) == len(set(found)) and set(found) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_says_what_the_vocabulary_says(lang: str) -> None:
    words = {card.text: (card.caption, card.title) for group in cards.groups(None, lang) for card in group.cards}
    for name, entry in VOCABULARY["mode"].items():
        assert words[f"PLB*{name}"][1] == entry[lang]
    for name, entry in COMMANDS.items():
        if "takes" not in entry:
            assert words[f"PLB*{name}"] == ("", entry[lang])
    for command, section in NUMBERED.items():
        for entry in VOCABULARY[section].values():
            assert words[f"PLB*{command}*{entry['code']}"] == (COMMANDS[command][lang], entry[lang])
    assert words["PLB*DIGIT*0"][0] != words["PLB*DIGIT*O"][0]


def test_a_command_that_takes_something_can_be_printed_or_never_is() -> None:
    taking = {name for name, entry in COMMANDS.items() if "takes" in entry}
    asked = {text.split("*")[1] for each in cards.sets() if each.endswith("=") for text in codes_of(f"{each}7")}
    assert asked | set(NUMBERED) | {"DIGIT"} == taking - NEVER


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("cells=A-01..A-20", [f"PLB*CELL*A-{number:02}" for number in range(1, 21)]),
        ("cells=A-8..A-11", ["PLB*CELL*A-8", "PLB*CELL*A-9", "PLB*CELL*A-10", "PLB*CELL*A-11"]),
        ("cells=A-1,badge=17,cells=B-1", ["PLB*CELL*A-1", "PLB*CELL*B-1", "PLB*BADGE*17"]),
        ("cells=1A2-7..1A2-8", ["PLB*CELL*1A2-7", "PLB*CELL*1A2-8"]),
        ("cells=Б-1", ["PLB*CELL*Б-1"]),
        ("badge=17", ["PLB*BADGE*17"]),
        ("badge=0017", ["PLB*BADGE*17"]),
        ("badge=17..18,badge=18", ["PLB*BADGE*17", "PLB*BADGE*18"]),
        (" route=12 ", ["PLB*WAY*12"]),
        ("sack=M-0007", ["PLB*SACK*M-0007"]),
        ("act=17/2026=3", ["PLB*ACT*17/2026=3"]),
    ],
)
def test_values_become_cards(only: str, expected: list[str]) -> None:
    assert codes_of(only) == expected


def test_a_badge_says_its_number_and_no_name() -> None:
    (group,) = cards.groups("badge=17", "ru")
    assert [(card.caption, card.title) for card in group.cards] == [("Бейдж", "17")]


@pytest.mark.parametrize(
    ("only", "code"),
    [
        ("", "cards_unknown"),
        ("mode", "cards_unknown"),
        ("modes,", "cards_unknown"),
        ("modes=1", "cards_unknown"),
        ("cells", "cards_unknown"),
        ("customer=1", "cards_unknown"),
        ("photo=1", "cards_unknown"),
        ("BADGE=1", "cards_unknown"),
        ("\x1b[2J", "cards_unknown"),
        ("badge=", "cards_value_digits"),
        ("badge=0", "cards_value_digits"),
        ("badge=1234567890", "cards_value_digits"),
        ("badge=-1", "cards_value_digits"),
        ("badge=1 7", "cards_value_digits"),
        ("badge=١٧", "cards_value_digits"),
        ("badge=Иванова", "cards_value_digits"),
        ("route=0..3", "cards_value_digits"),
        ("route=x", "cards_value_digits"),
        ("cells=", "cards_value_bytes"),
        ("cells=ABCDEFGHIJKLM", "cards_value_bytes"),
        ("cells=ЯЧЕЙКА1", "cards_value_bytes"),
        ("cells= A", "cards_value_bytes"),
        ("cells=A\x00B", "cards_value_bytes"),
        ("cells=A\u202eB", "cards_value_bytes"),
        ("cells=A\udc80", "cards_value_bytes"),
        ("sack=" + "S" * 33, "cards_value_bytes"),
        ("act=" + "S" * 49, "cards_value_bytes"),
        ("cells=A..B", "cards_range"),
        ("cells=A-1..B-2", "cards_range"),
        ("cells=A-9..A-1", "cards_range"),
        ("cells=..", "cards_range"),
        ("cells=A-1..A-2..A-3", "cards_range"),
        ("cells=1..99999999999999", "cards_range"),
        ("cells=" + "9" * 5000 + "..5", "cards_range"),
        ("cells=" + "0" * 5000 + "5..5", "cards_range"),
        ("badge=1..1001", "cards_many"),
        ("badge=1..600,cells=1..401", "cards_many"),
        ("badge=1..999999999", "cards_many"),
    ],
)
def test_what_a_terminal_would_refuse_is_not_printed(only: str, code: str) -> None:
    assert refusal(only) == code


def test_a_count_is_a_number_within_its_limit() -> None:
    for name in ("part", "late"):
        takes = COMMANDS[name.upper()].get("takes")
        if takes is None:
            assert refusal(f"{name}=1") == "cards_unknown"
            continue
        most = int(takes.rpartition(" ")[2])
        assert codes_of(f"{name}=1,{name}={most}") == [f"PLB*{name.upper()}*1", f"PLB*{name.upper()}*{most}"]
        for value in ("0", str(most + 1), "x", "", "-1"):
            assert refusal(f"{name}={value}") == "cards_value_number"


@given(st.text(max_size=30), st.sampled_from(["", *cards.sets()]))
def test_any_text_is_cards_or_a_refusal(text: str, name: str) -> None:
    try:
        found = codes_of(name + text)
    except UsageError as error:
        assert error.code in codes()
    else:
        assert all(code.startswith("PLB*") and code.isprintable() and len(code.encode()) <= 300 for code in found)


def test_every_refusal_has_three_languages_and_a_next_step() -> None:
    ours = [code for code in codes() if code.startswith("cards_")]
    assert len(ours) >= 6
    for code in ours:
        error = PlombaError(code)
        assert len({error.what(lang) + error.next_step(lang) for lang in LANGUAGES}) == 3


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "cards.html"
    assert run(["cards", "print", "-o", str(page), "--language", "uk", "--only", "modes,badge=17"]) == 0
    assert json.loads(capsys.readouterr().out) == {"page": str(page), "cards": len(VOCABULARY["mode"]) + 1}
    written = page.read_text(encoding="utf-8")
    assert "ПРИЙМАННЯ" in written and '<html lang="uk">' in written


def test_a_refusal_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "cards.html"
    assert run(["cards", "print", "-o", str(page), "--only", "badge=x"]) == 2
    assert "[cards_value_digits]" in capsys.readouterr().err
    assert run(["cards", "print", "-o", str(page), "--language", "de"]) == 2
    assert not page.exists()
    assert run(["cards", "print", "-o", str(tmp_path / "none" / "cards.html")]) == 1
    assert "[file_unwritable]" in capsys.readouterr().err


def test_a_disk_that_is_full_leaves_the_page_that_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "cards.html"
    page.write_text("the former")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    assert run(["cards", "print", "-o", str(page), "--only", "modes"]) == 1
    assert "[file_unwritable]" in capsys.readouterr().err
    assert page.read_text() == "the former"


def test_without_segno_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    page = tmp_path / "cards.html"
    assert run(["cards", "print", "-o", str(page)]) == 1
    error = capsys.readouterr().err
    assert "[extra_missing]" in error and "plomba[print]" in error
    assert not page.exists()


def test_the_documentation_names_every_set_and_its_commands_work() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cards.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z]+=?)[^|]*\|[^|]*\| `(PLB\*[^`]+)` \|$", text, re.MULTILINE))
    assert set(rows) >= set(cards.sets())
    for asked, code in re.findall(r"^\| `([a-z]+[^`]*)` \|[^|]*\| `(PLB\*[^`]+)` \|$", text, re.MULTILINE):
        assert asked.partition("=")[0] in ("part", "late") or code in codes_of(asked)
    for only in re.findall(r"--only (\S+)", text):
        assert codes_of(only)
