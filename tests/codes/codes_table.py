"""The table of carriers in words: what docs/codes.md has to hold."""

from __future__ import annotations

from collections.abc import Iterator

from plomba_wire import gs1, postal
from plomba_wire.carriers import CARRIERS
from plomba_wire.shapes import Carrier, Elements, Inside, Text
from plomba_wire.vocabulary import CodeKind, Symbology

HEAD = "| code | recognised by | stands in | identity | check | refused for it in |"
CHECKS = {gs1.check_digit_fits: "GS1 check digit", postal.s10_fits: "S10 check digit"}


def table() -> str:
    return "\n".join([HEAD, "|---" * 6 + "|", *(_row(carrier) for carrier in CARRIERS)]) + "\n"


def _row(carrier: Carrier) -> str:
    check = CHECKS[carrier.check[0]] if carrier.check else "none"
    cells = (
        carrier.name,
        _recognised(carrier),
        _symbologies(carrier.symbologies) or "any",
        f"{_name(CodeKind, carrier.kind)}: {_identity(carrier)}",
        check,
        _symbologies(carrier.sure) + _claims(carrier) or "–",
    )
    return f"| {' | '.join(cells)} |"


def _recognised(carrier: Carrier) -> str:
    if isinstance(carrier, Elements):
        needs = "".join(f"({name.decode()}{_lengths(lengths)})" for name, lengths in carrier.needs)
        lacks = f", no ({carrier.lacks.decode()})" if carrier.lacks else ""
        return f"`{needs}`{' and no other' if carrier.only else ''}{lacks}"
    if isinstance(carrier, Text):
        return f"`{''.join(_runs(carrier.shape.decode()))}`"
    assert isinstance(carrier, Inside)
    return f"exactly one run of {carrier.digits} digits, bare or in a text"


def _lengths(lengths: tuple[int, ...]) -> str:
    return f" of {' or '.join(map(str, lengths))}" if lengths else ""


def _runs(shape: str) -> Iterator[str]:
    """Each run of one kind of character as the character and how many."""
    at = 0
    while at < len(shape):
        size = len(shape[at:]) - len(shape[at:].lstrip(shape[at]))
        yield f"{'' if at == 0 else ' '}{shape[at]}×{size}"
        at += size


def _identity(carrier: Carrier) -> str:
    if isinstance(carrier, Elements):
        return " ".join(f"{before.decode()} ({name.decode()})".strip() for before, name in carrier.parts)
    if isinstance(carrier, Text):
        parts = [
            (before.decode(), "all" if stop >= len(carrier.shape) and start == 0 else f"{start + 1}–{stop}")
            for before, start, stop in carrier.parts
        ]
        return " ".join(f"{before} {which}".strip() for before, which in parts)
    return "the run"


def _claims(carrier: Carrier) -> str:
    return " (a country's letters)" if isinstance(carrier, Text) and carrier.claims is postal.names_country else ""


def _symbologies(found: tuple[int, ...]) -> str:
    return ", ".join(_name(Symbology, code) for code in found)


def _name(section: type, code: int) -> str:
    return next(name for name, value in vars(section).items() if value == code and not name.startswith("_"))
