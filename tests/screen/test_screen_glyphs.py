"""Every letter the terminal may have to show is there, is itself, and fits."""

from __future__ import annotations

import importlib.util
import string
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pixels import BODY, BOLD, HEADLINE, HEIGHT, SMALL, TALL, lit, region
from screen_rig import FIRMWARE, Screen

from plomba.desk.rules.screen_text import COLUMNS, line_count

ALPHABETS = {
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "en": string.ascii_lowercase,
}
CHARSET = sorted({*map(chr, range(0x20, 0x7F)), *"№—«»·…→↑₴", *"".join(a + a.upper() for a in ALPHABETS.values())})
LANGUAGES = sorted(ALPHABETS)


def texts(language: str) -> ModuleType:
    path = FIRMWARE / "terminal" / "screen" / f"texts_{language}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("size", [SMALL, BODY, BOLD, TALL])
@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_and_digits_are_told_apart(screen: Screen, language: str, size: int) -> None:
    letters = ALPHABETS[language]
    drawn = {c: screen.draw("text", 0, 0, c, size) for c in letters + letters.upper() + string.digits}
    nothing, box = bytes(1024), screen.draw("text", 0, 0, "\0", size)
    assert len({*drawn.values(), nothing, box}) == len(drawn) + 2


@pytest.mark.parametrize("size", [SMALL, BODY, BOLD, TALL])
def test_every_sign_is_drawn_as_itself(screen: Screen, size: int) -> None:
    drawn = {c: screen.draw("text", 0, 0, c, size) for c in string.punctuation + "№—«»·…→↑₴"}
    assert len({*drawn.values(), screen.draw("text", 0, 0, "\0", size), bytes(1024)}) == len(drawn) + 2


@pytest.mark.parametrize("char", CHARSET)
def test_sixteen_of_any_character_fit_a_headline_whole(screen: Screen, char: str) -> None:
    one = lit(screen.draw("centred", 10, char, TALL))
    sixteen = lit(screen.draw("verdict", headline=char * 16)) & HEADLINE
    assert len(sixteen) == 16 * len(one)


def test_a_headline_of_seventeen_is_cut_with_an_ellipsis(screen: Screen) -> None:
    assert screen.draw("verdict", headline="Щ" * 17) == screen.draw("verdict", headline="Щ" * 15 + "…")


def test_tall_is_bold_with_every_row_twice(screen: Screen) -> None:
    bold = lit(screen.draw("text", 3, 0, "ЩЙ№g", BOLD))
    assert lit(screen.draw("text", 3, 0, "ЩЙ№g", TALL)) == {(x, 2 * y + k) for x, y in bold for k in (0, 1)}


def test_ink_0_is_the_exact_inverse(screen: Screen) -> None:
    headline = {"headline": "НЕ ТА ПЛОМБА"}
    plain = lit(screen.draw("verdict", **headline, icon="ok")) & HEADLINE
    assert lit(screen.draw("verdict", **headline, icon="cross")) & HEADLINE == HEADLINE - plain


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_of_the_vocabulary_fit_and_have_their_glyphs(screen: Screen, language: str) -> None:
    module = texts(language)
    box = screen.draw("text", 0, 0, "\0")
    steps = [step for _, step, *_ in module.VERDICTS.values()]
    headlines = [headline for headline, *_ in module.VERDICTS.values()]
    for char in set("".join([*steps, *headlines, *module.UI.values()])):
        assert screen.draw("text", 0, 0, char) != box, char
    for headline in headlines:
        assert len(headline) <= 16, headline
    for step in steps:
        wrapped, _ = screen.ask("spans", step, 16, 3)
        assert "".join(lines(step, wrapped)).replace(" ", "") == step.replace(" ", ""), step


def lines(text: str, spans: list[int]) -> list[str]:
    return [text[start:end] for start, end in zip(spans[::2], spans[1::2], strict=True)]


@settings(deadline=None)
@given(st.lists(st.text("абвг", min_size=1, max_size=12), max_size=9).map(" ".join), st.integers(3, 24))
def test_lines_hold_every_word_in_order_and_break_no_word_that_fits(screen: Screen, text: str, columns: int) -> None:
    text = text[:90]
    wrapped, halved = (lines(text, spans) for spans in screen.ask("spans", text, columns, 45))
    for found in (wrapped, halved):
        assert all(0 < len(line) <= columns and line == line.strip() for line in found)
        assert "".join(found).replace(" ", "") == text.replace(" ", "")
    words = text.split()
    if all(len(word) <= columns for word in words):
        assert " ".join(wrapped).split() == words == " ".join(halved).split()
    if wrapped != halved:
        assert max(map(len, halved)) < max(map(len, wrapped))


@settings(deadline=None)
@given(st.lists(st.text("аб", min_size=1, max_size=14), max_size=6).map(" ".join), st.integers(1, 3))
def test_an_ellipsis_ends_what_is_cut_within_the_line(screen: Screen, text: str, allowed: int) -> None:
    whole, _ = screen.ask("spans", text, 10, 30)
    cut, _ = screen.ask("spans", text, 10, allowed)
    assert len(cut) == min(len(whole), 2 * allowed)
    assert all(end - start <= 10 for start, end in zip(cut[::2], cut[1::2], strict=True))
    assert cut[: len(cut) - 1] == whole[: len(cut) - 1]


def test_advice_grows_smaller_only_when_two_lines_are_not_enough(screen: Screen) -> None:
    rows = region(32, 37, bottom=HEIGHT)
    two = lit(screen.draw("verdict", headline="", next_step="Щ" * 16 + " " + "Щ" * 16)) & rows
    assert len(two) == 32 * len(lit(screen.draw("text", 0, 0, "Щ", BODY)))
    three = lit(screen.draw("verdict", headline="", next_step=" ".join(["Щ" * 16] * 3))) & rows
    assert len(three) == 48 * len(lit(screen.draw("text", 0, 0, "Щ", SMALL)))


@settings(deadline=None)
@given(st.text("аб ", max_size=90))
def test_the_host_counts_the_lines_of_a_new_rule_as_the_screen_does(screen: Screen, text: str) -> None:
    spans, _ = screen.ask("spans", text, COLUMNS, 45)
    assert len(spans) == 2 * line_count(text)
