"""`plomba rules replay`: what the firmware answers to a trace under one rule pack, or under several."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plomba.desk.rules import RulePack, load
from plomba.errors import PlombaError, UsageError
from plomba.testing import trace as traces
from plomba.testing.replay import Answer, play
from plomba.texts import language, say, verdict_word

_COLUMNS = ("step", "done", "action", "verdict", "tone", "screen", "note")


def replay(
    trace: Path,
    *,
    rules: Annotated[list[Path], Parameter(consume_multiple=True, negative="", help="One or several packs.")],
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="For programs.")] = False,
) -> int:
    """Play a trace on the terminal's own firmware: every answer comes from its signed records, docked and verified.

    Exit status 1 when an answer is not what the trace expects.

    Example: plomba rules replay trace.toml --rules jewellery-1.toml jewellery-2.toml jewellery-3.toml
    """
    if not rules:
        raise UsageError("replay_rules_none")
    if importlib.util.find_spec("zxingcpp") is None:
        raise PlombaError("extra_missing", package="zxingcpp", extra="sim")
    read = traces.load(trace)
    packs = [load(path) for path in rules]
    played = []
    for pack in packs:
        with tempfile.TemporaryDirectory(prefix="plomba-replay-") as folder:
            played.append(asyncio.run(play(read, pack, Path(folder))))
    missed = any(_missed(pack, answer) for pack, answers in zip(packs, played, strict=True) for answer in answers)
    if as_json:
        print(json.dumps(_facts(packs, rules, played), ensure_ascii=False))
        return int(missed)
    for path, pack, answers in zip(rules, packs, played, strict=True):
        title = pack.checked.pack.title[language()]
        print(say("rules", "replay_head", number=pack.number, title=title, path=path))
        for line in _lines(pack, answers, played[0]):
            print(line)
        print()
    if len(packs) > 1:
        differ = ", ".join(str(number) for number in _differing(played))
        print(say("rules", "replay_differs" if differ else "replay_same", steps=differ))
    return int(missed)


def _lines(pack: RulePack, answers: Sequence[Answer], first: Sequence[Answer]) -> list[str]:
    """A table; a step of several records has a line for each. The first pack's answer is the note where it differs."""
    lang = language()
    rows = [[say("rules", f"column_{name}", lang) for name in _COLUMNS]]
    for number, (answer, other) in enumerate(zip(answers, first, strict=True), start=1):
        notes = [] if answer.same == other.same else [f"≠ {'+'.join(other.verdicts) or '—'}"]
        missed = _missed(pack, answer)
        if missed:
            notes.append(say("rules", "replay_expected", lang, verdicts="+".join(missed)))
        cells = [(event.action, event.verdict, _headline(answer, at, lang)) for at, event in enumerate(answer.events)]
        for at, (action, verdict, headline) in enumerate(cells or [("—", "—", "")]):
            begin = ["", "", ""] if at else [str(number), _shown(answer.do.shown), "+".join(answer.tones) or "—"]
            rows.append([*begin[:2], action, verdict, begin[2], headline, "" if at else "; ".join(notes)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _headline(answer: Answer, at: int, lang: str) -> str:
    head = answer.events[at].raw.head
    return verdict_word(head.action, head.verdict, lang)


def _missed(pack: RulePack, answer: Answer) -> tuple[str, ...]:
    """What was expected and did not come; nothing expected is missed by nothing."""
    expected = answer.do.expected(pack.number)
    return () if expected is None or expected == answer.verdicts else expected or ("—",)


def _differing(played: Sequence[Sequence[Answer]]) -> list[int]:
    """Numbers of the steps that were not answered alike."""
    rows = enumerate(zip(*played, strict=True), start=1)
    return [number for number, answers in rows if len({answer.same for answer in answers}) > 1]


def _facts(packs: Sequence[RulePack], paths: Sequence[Path], played: Sequence[Sequence[Answer]]) -> dict[str, Any]:
    return {
        "packs": [
            {"number": pack.number, "file": str(path), "steps": [_answer(pack, answer) for answer in answers]}
            for pack, path, answers in zip(packs, paths, played, strict=True)
        ],
        "differ": _differing(played),
    }


def _answer(pack: RulePack, answer: Answer) -> dict[str, Any]:
    return {
        "done": answer.do.shown,
        "records": [
            {
                "action": event.action,
                "verdict": event.verdict,
                "order": event.order,
                "before": event.state_before,
                "after": event.state_after,
                "rules": event.raw.head.rules,
                "headline": {lang: _headline(answer, at, lang) for lang in ("ru", "uk", "en")},
            }
            for at, event in enumerate(answer.events)
        ],
        "tones": list(answer.tones),
        "expected": not _missed(pack, answer),
    }


def _shown(text: str) -> str:
    """A code may hold control characters."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
