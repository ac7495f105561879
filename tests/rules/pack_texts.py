"""The sample pack's text, and how a test changes it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from plomba.desk import rules
from plomba.desk.rules import Checked
from plomba.desk.rules.table import Mistake

FOLDER = Path(str(resources.files("plomba.desk").joinpath("rules")))
SAMPLE = (FOLDER / "sample.toml").read_text(encoding="utf-8")
FILE = "pack.toml"


def changed(*edits: tuple[str, str]) -> str:
    """The sample with the first of each text in place of another."""
    text = SAMPLE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def step(action: str) -> str:
    """The text of the sample's first step of an action."""
    at = SAMPLE.index(f'action = "{action}"\n')
    begin = SAMPLE.rindex("[[step]]", 0, at)
    end = SAMPLE.find("\n\n", at)
    return SAMPLE[begin : end if end > 0 else len(SAMPLE)].rstrip("\n") + "\n"


def line_of(text: str, part: str, nth: int = 1) -> int:
    """The line of the nth place where `part` begins, from 1."""
    at = -1
    for _ in range(nth):
        at = text.index(part, at + 1)
    return text.count("\n", 0, at) + 1


def check(text: str) -> Checked:
    return rules.check_text(text, FILE)


def errors(text: str) -> list[Mistake]:
    return [mistake for mistake in check(text).mistakes if not mistake.warning]


def warnings(text: str) -> list[Mistake]:
    return [mistake for mistake in check(text).mistakes if mistake.warning]
