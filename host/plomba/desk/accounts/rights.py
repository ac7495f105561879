"""The table of rights (rights.toml)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from types import MappingProxyType

ANYBODY = "anybody"


@cache
def _table() -> tuple[tuple[str, ...], MappingProxyType[str, frozenset[str]]]:
    text = resources.files("plomba.desk.accounts").joinpath("rights.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    roles = tuple(found["roles"])
    table = {right: frozenset(having) for right, having in found["rights"].items()}
    for right, having in table.items():
        if having - {*roles, ANYBODY}:
            raise ValueError(f"rights.toml: {right} names an unknown role")
    return roles, MappingProxyType(table)


def roles() -> tuple[str, ...]:
    """All roles."""
    return _table()[0]


def rights() -> MappingProxyType[str, frozenset[str]]:
    """Right -> the roles that have it, or ANYBODY."""
    return _table()[1]


def allowed(role: str, right: str) -> bool:
    """Raises KeyError for a right that is not in the table."""
    return not rights()[right].isdisjoint((role, ANYBODY))
