"""The scanner that finds lines agrees with tomllib about everything there is in a file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plomba.desk.rules.layers import laid_over
from plomba.desk.rules.located import Keys, read


def paths(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    """Everything in what tomllib gave."""
    yield keys
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*keys, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from paths(inner, (*keys, number))


KEY = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,5}", fullmatch=True), st.text("a.#=[]\"'\\ ж", min_size=1, max_size=4))
SCALAR = st.sampled_from(
    [
        "1",
        "-0.5e3",
        "true",
        "1979-05-27 07:32:00Z",
        "inf",
        '"a # [b] = \\"c\\" \\\\"',
        "'no \\ escape # ]'",
        '""',
        "''",
        '"""\nmany # lines\n[[step]]\n""quotes"" \\""" end"""',
        "'''\nraw ''x''\n# = ]\n'''",
        '""""two quotes"""""',
        "''''''",
    ]
)


def quoted(key: str) -> str:
    bare = key and all(char.isascii() and (char.isalnum() or char in "_-") for char in key)
    return key if bare else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def value(draw: st.DrawFn, depth: int = 0) -> str:
    if depth > 2 or draw(st.booleans()):
        return draw(SCALAR)
    if draw(st.booleans()):
        inner = draw(st.lists(value(depth + 1), max_size=3))
        gap = draw(st.sampled_from(["", "\n", " # why ] not\n  "]))
        return f"[{gap}" + f",{gap}".join(inner) + (f",{gap}" if inner and draw(st.booleans()) else gap) + "]"
    keys = draw(st.lists(KEY, max_size=3, unique=True))
    # A line break is not allowed between the parts of an inline table, only inside of its values.
    return "{" + ", ".join(f"{quoted(key)} = {draw(value(depth + 1))}" for key in keys) + "}"


@st.composite
def document(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        names = [quoted(key) for key in draw(st.lists(KEY, min_size=1, max_size=3))]
        kind = draw(st.sampled_from(["", "", "[", "[["]))
        if kind:
            gap = draw(st.sampled_from([".", " . "]))
            lines.append(f"{kind}{gap.join(names)}{kind.replace('[', ']')} # [[not]] a table")
        else:
            lines.append(f"{'.'.join(names)} = {draw(value())}")
        if draw(st.booleans()):
            lines.append("# [a] = 'x")
    return "\n".join(lines) + "\n"


@given(document())
def test_every_value_of_a_document_has_a_line_and_nothing_else_has(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    located = read(text, "f")
    assert located.data == data or "nan" in text
    assert set(located.places) == set(paths(data))
    assert all(1 <= place.line <= text.count("\n") + 1 for place in located.places.values())


def test_lines_are_those_of_an_editor() -> None:
    text = (
        '# one\nnumber = 3\n[class.sealed]\nneeds.PACK = [\n  "item", # why\n  "apply",\n]\n\n'
        '[[step]]\nx = """\n\n"""\ny = 1\n[[step]]\n"x" = {a = 1}\n'
    )
    located = read(text, "f")
    lines = {keys: place.line for keys, place in located.places.items()}
    assert lines == {
        (): 1,
        ("number",): 2,
        ("class",): 3,
        ("class", "sealed"): 3,
        ("class", "sealed", "needs"): 4,
        ("class", "sealed", "needs", "PACK"): 4,
        ("class", "sealed", "needs", "PACK", 0): 5,
        ("class", "sealed", "needs", "PACK", 1): 6,
        ("step",): 9,
        ("step", 0): 9,
        ("step", 0, "x"): 10,
        ("step", 0, "y"): 13,
        ("step", 1): 14,
        ("step", 1, "x"): 15,
        ("step", 1, "x", "a"): 15,
    }
    assert str(located.place("step", 1, "to")) == "f:14"
    assert str(located.place("limits", "tries")) == "f:1"


BASE = read(
    'number = 1\nvalid_from = 2026-01-01T00:00:00Z\n[news]\nru = "n"\n[a]\nb = 1\nc = [1, 2]\n'
    '[[step]]\naction = "X"\nfrom = ["P"]\nto = "Q"\n',
    "base",
)


def test_what_is_laid_over_keeps_both_places() -> None:
    top = read('number = 2\n[a]\nc = [3]\n[[step]]\naction = "X"\nfrom = ["P"]\n[[step]]\naction = "Y"\n', "top")
    both = laid_over(BASE, top)
    assert both.data == {
        "number": 2,
        "a": {"b": 1, "c": [3]},
        "step": [{"action": "X", "from": ["P"]}, {"action": "Y"}],
    }
    assert set(both.places) == set(paths(both.data))
    assert {str(both.place(*keys)) for keys in (("number",), ("a", "c"), ("step", 0, "from"), ("step", 1))} == {
        "top:1",
        "top:3",
        "top:6",
        "top:7",
    }
    assert str(both.place("a", "b")) == "base:6"


@pytest.mark.parametrize("origin", ["P", "Z"])
def test_of_two_equal_steps_neither_is_dropped(origin: str) -> None:
    """One of the base's is replaced once, and a step of one's own never is."""
    text = "".join(f'[[step]]\naction = "X"\nfrom = ["{origin}"]\nto = "{to}"\n' for to in "RS")
    both = laid_over(BASE, read(text, "top"))
    assert [each["to"] for each in both.data["step"]] == [*("Q" if origin == "Z" else ""), "R", "S"]
    assert set(both.places) == set(paths(both.data))


def test_number_news_and_date_are_never_taken_over() -> None:
    assert set(laid_over(BASE, read("", "top")).data) == {"a", "step"}


@pytest.mark.parametrize("text", ["a = 1", "step = 1", "a = {b = 2}\nstep = []", "[a.c]\nx = 1", "[[a]]\nx = 1"])
def test_values_of_another_kind_take_the_place_of_the_former(text: str) -> None:
    both = laid_over(BASE, read(text, "top"))
    assert set(both.places) == set(paths(both.data))
