"""The command cards of a terminal: which there are says the vocabulary, which are printed says whoever prints.

A card is `PLB*NAME`, or `PLB*NAME*VALUE` for a command that takes something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from plomba.errors import UsageError
from plomba.print.sheet import Card, Group
from plomba.texts import say
from plomba_wire.schema import VOCABULARY

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
"""What a PIN and an order's number are typed of."""
VALUES_MAX = 1000
"""Cards by value on one sheet."""

_WHOLE = ("modes", "commands", "reasons", "results", "digits")
_VALUED = {
    "part": "PART",
    "late": "LATE",
    "cells": "CELL",
    "badge": "BADGE",
    "route": "WAY",
    "sack": "SACK",
    "act": "ACT",
}
"""What is printed by value, and its command. A customer's code is a secret, and a photo's is on no card."""
_EVERYTHING = "modes,commands,part=1..5,late=15,late=30,late=60,late=120,reasons,results,digits"
_COMMANDS: dict[str, dict[str, Any]] = VOCABULARY["command"]
_LIMIT = re.compile(r"1 to (\d+)(?: (digits|bytes))?$")
"""How the vocabulary ends what a command takes: so many digits, so many bytes, or a number up to that."""
_RANGE = re.compile(r"(.*?)([0-9]+)\.\.(.*?)([0-9]+)")


def sets() -> list[str]:
    """What `groups` can be asked for; a name that needs a value ends with `=`."""
    return [*_WHOLE, *(f"{name}=" for name in _VALUED if _taken(name))]


def groups(only: str | None, lang: str) -> list[Group]:
    """Cards in the order asked for, `modes,cells=A-01..A-20,badge=17,badge=18`; None is all that need no own value.

    Raises UsageError `cards_unknown`, `cards_value_digits`, `cards_value_number`, `cards_value_bytes`, `cards_range`,
    `cards_many`.
    """
    asked: dict[str, dict[str, Card]] = {}
    for each in only.split(",") if only is not None else filter(_known, _EVERYTHING.split(",")):
        if not _known(each.strip()):
            raise UsageError("cards_unknown", found=each, known=", ".join(sets()))
        name, mark, text = each.strip().partition("=")
        cards = asked.setdefault(name, {})
        for value in _values(text) if mark else ():
            card = _card(name, value, lang)
            cards[card.text] = card
            if sum(map(len, asked.values())) > VALUES_MAX:
                raise UsageError("cards_many", most=VALUES_MAX)
    found: list[Group] = []
    for name, cards in asked.items():
        found += [Group(say("cards", name, lang), list(cards.values()))] if cards else _whole(name, lang)
    return found


def _known(asked: str) -> bool:
    name, mark, _ = asked.partition("=")
    return name in _WHOLE if not mark else name in _VALUED and bool(_taken(name))


def _taken(name: str) -> str:
    """What the command behind a set takes, in the vocabulary's words; empty for nothing."""
    return str(_COMMANDS[_VALUED[name]].get("takes", ""))


def _whole(name: str, lang: str) -> list[Group]:
    if name == "commands":
        return [
            Group(say("cards", "commands_parcel", lang), _commands(lang, of_parcel=True)),
            Group(say("cards", "commands_terminal", lang), _commands(lang, of_parcel=False)),
        ]
    heading = say("cards", name, lang)
    if name == "modes":
        caption = say("cards", "mode", lang)
        modes = VOCABULARY["mode"].items()
        return [Group(heading, [Card(f"PLB*{mode}", words[lang], caption) for mode, words in modes])]
    if name == "digits":
        return [Group(heading, [_sign(sign, lang) for sign in SIGNS], columns=6)]
    command, section = ("REASON", "reason") if name == "reasons" else ("RESULT", "condition")
    caption = _COMMANDS[command][lang]
    numbered = VOCABULARY[section].values()
    return [Group(heading, [Card(f"PLB*{command}*{words['code']}", words[lang], caption) for words in numbered])]


def _commands(lang: str, *, of_parcel: bool) -> list[Card]:
    return [
        Card(f"PLB*{command}", words[lang])
        for command, words in _COMMANDS.items()
        if "takes" not in words and ("action" in words) == of_parcel
    ]


def _sign(sign: str, lang: str) -> Card:
    kind = "digit" if sign.isdecimal() else "letter" if sign.isalpha() else "hyphen"
    return Card(f"PLB*DIGIT*{sign}", sign, say("cards", kind, lang))


def _card(name: str, value: str, lang: str) -> Card:
    """A card of a value. Raises UsageError when the terminal would refuse it."""
    command = _VALUED[name]
    limit = _LIMIT.search(_taken(name))
    assert limit is not None, f"the vocabulary does not say how much {command} takes"
    most, unit = int(limit[1]), limit[2]
    if unit == "bytes":
        if not value.isprintable() or value != value.strip() or not 1 <= len(value.encode()) <= most:
            raise UsageError("cards_value_bytes", set=name, found=value, most=most)
    else:
        number = int(value) if value.isascii() and value.isdecimal() and len(value) <= 9 else 0
        if unit == "digits" and not (number and len(value) <= most):
            raise UsageError("cards_value_digits", set=name, found=value, most=most)
        if unit is None and not 1 <= number <= most:
            raise UsageError("cards_value_number", set=name, found=value, most=most)
        value = str(number)
    return Card(f"PLB*{command}*{value}", value, _COMMANDS[command][lang])


def _values(text: str) -> Iterator[str]:
    """`A-01..A-20` from the first to the last, anything else as it stands. Raises UsageError `cards_range`."""
    if ".." not in text:
        yield text
        return
    ends = _RANGE.fullmatch(text)
    if ends is None or ends[1] != ends[3] or max(len(ends[2]), len(ends[4])) > 9 or int(ends[2]) > int(ends[4]):
        raise UsageError("cards_range", found=text)
    for number in range(int(ends[2]), int(ends[4]) + 1):
        yield f"{ends[1]}{number:0{len(ends[2])}}"
