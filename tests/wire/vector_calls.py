"""Vectors as calls of wire_mpy.py."""

from __future__ import annotations

from typing import Any

from plomba_wire import codec


def call(name: str, *arguments: object) -> str:
    """A call of wire_mpy.py: text is hexadecimal, numbers are numbers, a layout is its class's name."""
    words = [f"x{argument}" if isinstance(argument, str) else str(argument) for argument in arguments]
    return " ".join([name, *words])


def values(layout: str, fields: dict[str, Any]) -> list[str]:
    """The fields in the order of the codec, as wire_mpy.py writes them."""
    order: tuple[str, ...] = getattr(codec, layout).FIELDS
    assert set(order) == set(fields)
    return [f"x{fields[name]}" if isinstance(fields[name], str) else str(fields[name]) for name in order]
