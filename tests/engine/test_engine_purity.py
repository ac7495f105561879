"""The engine is a pure core: no clock, no I/O, nothing to install."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import plomba.sim

ALLOWED = {
    "__future__",
    "binascii",
    "collections",
    "collections.abc",
    "dataclasses",
    "enum",
    "heapq",
    "itertools",
    "math",
    "re",
    "types",
    "typing",
}
FILES = sorted(Path(plomba.sim.__path__[0]).glob("gm65*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_nothing_that_waits_or_reaches_out(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or ""}
        else:
            continue
        strangers = {name for name in names if not name.startswith("plomba.sim")} - ALLOWED
        assert not strangers, f"{path.name} imports {strangers}"


def test_there_is_something_to_look_at():
    assert len(FILES) >= 5
