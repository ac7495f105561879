"""Rule packs: written in TOML with the vocabulary's names, compiled to the compact JSON a terminal reads."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from plomba.desk.rules.changes import unsaid
from plomba.desk.rules.layers import laid_over
from plomba.desk.rules.located import Located, read, read_file
from plomba.desk.rules.meaning import judge
from plomba.desk.rules.pack import Pack, body
from plomba.desk.rules.reading import read_pack
from plomba.desk.rules.table import Mistake, mistake
from plomba.errors import PlombaError

PACK_MAX = 7800
"""Bytes of the longest body: with envelope, signature and certificate it stays under the terminal's 8192."""
SAMPLE = "sample"
"""The one pack that another may be laid over."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found. `text` has the places; `pack` is whole only when it is `readable`."""

    text: Located
    pack: Pack
    mistakes: list[Mistake]
    readable: bool

    @property
    def sound(self) -> bool:
        return all(mistake.warning for mistake in self.mistakes)


@dataclass(frozen=True, slots=True)
class RulePack:
    """A pack ready to be signed. Its object's version is `number`, u16: a record's head names it."""

    number: int
    body: bytes
    checked: Checked


class RulesRefused(PlombaError):
    """A pack that must not be signed: the first thing that is wrong with it. `mistakes` has all, warnings too."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        first = next(mistake.error for mistake in mistakes if not mistake.warning)
        super().__init__(first.code, **first.fields)
        self.mistakes = mistakes


def load(path: Path | None = None) -> RulePack:
    """The pack in `path`, or the sample. Raises RulesRefused, and PlombaError for a file that is no TOML."""
    return ready(check(path))


def ready(checked: Checked) -> RulePack:
    """Raises RulesRefused."""
    if not checked.sound:
        raise RulesRefused(checked.mistakes)
    return RulePack(checked.pack.number, body(checked.pack), checked)


def follows(new: RulePack, old: Pack) -> None:
    """Raises RulesRefused when `new` changes what `old` has a terminal do, and does not say so or since when."""
    mistakes = unsaid(old, new.checked.pack, new.checked.text)
    if mistakes:
        raise RulesRefused(mistakes)


def compile_pack(text: str, path: str) -> RulePack:
    """The pack that `text` says; `path` is its name in errors. Raises as `load`."""
    return ready(check_text(text, path))


def check(path: Path | None = None) -> Checked:
    """The pack in `path`, or the sample, with every mistake in it. Raises PlombaError for a file that is no TOML."""
    return _checked(_sample() if path is None else read_file(path))


def check_text(text: str, path: str) -> Checked:
    """As `check`."""
    return _checked(read(text, path))


def _checked(text: Located) -> Checked:
    if "base" in text.data:
        base = text.data["base"]
        if base != SAMPLE:
            wrong = mistake(text.place("base"), "rules_value", key="base", found=base, wanted=f'"{SAMPLE}"')
            return Checked(text, read_pack(text)[0], [wrong], False)
        text = laid_over(_sample(), text)
    pack, mistakes = read_pack(text)
    readable = not mistakes
    if readable:
        mistakes = judge(pack, text)
        size = len(body(pack))
        if size > PACK_MAX:
            mistakes.insert(0, mistake(text.place(), "rules_long", size=size, longest=PACK_MAX))
    return Checked(text, pack, mistakes, readable)


def _sample() -> Located:
    file = resources.files("plomba.desk").joinpath("rules", f"{SAMPLE}.toml")
    return read(file.read_text(encoding="utf-8"), str(file))
