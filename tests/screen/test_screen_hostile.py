"""A code is data: whatever it holds, it is drawn in its own place, as glyphs or boxes, and costs no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pixels import ADVICE, HEADLINE, STATUS, TAIL, lit
from screen_rig import Screen

HOSTILE: dict[str, str | bytes] = {
    "nul": "\0\0\0\0",
    "escape sequence": "\x1b[31m",
    "clear screen": "\x1b[2J\x1b[H",
    "right-to-left override": "\u202e4F7K",
    "zero width": "4\u200b\u200d\ufeff7",
    "combining": "Z\u0351\u036b\u0343",
    "emoji": "\U0001f469\u200d\U0001f527",
    "line breaks": "4\r\n\u2028\x85",
    "non-breaking space": "4\u00a07\u00a0",
    "lookalikes": "ӀΟᎪ\u2044",
    "five thousand": "Ж" * 5000,
    "five thousand boxes": "\u202e" * 5000,
    "not UTF-8": b"\xff\xfe\x80\xc0",
    "cut short": b"4F\xf0\x9f",
    "empty bytes": b"",
}
PLACES = {"headline": HEADLINE, "code_tail": TAIL, "next_step": ADVICE, "mode": STATUS}
PLAIN = {
    "headline": "НЕ ТА ПЛОМБА",
    "icon": "none",
    "code_tail": "4F7K",
    "next_step": "Отложи",
    "mode": "ВЫДАЧА",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_changes_nothing_outside_its_place(screen: Screen, name: str, place: str) -> None:
    changed = lit(screen.draw("verdict", **PLAIN)) ^ lit(screen.draw("verdict", **{**PLAIN, place: HOSTILE[name]}))
    assert changed <= PLACES[place]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.binary(), st.sampled_from(sorted(PLACES)))
def test_no_text_at_all_does(screen: Screen, text: str | bytes, place: str) -> None:
    changed = lit(screen.draw("verdict", **PLAIN)) ^ lit(screen.draw("verdict", **{**PLAIN, place: text}))
    assert changed <= PLACES[place]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_bytes_and_str_are_drawn_alike(screen: Screen, text: str) -> None:
    assert screen.draw("text", 0, 0, text) == screen.draw("text", 0, 0, text.encode())


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_code_point_takes_one_cell_where_it_stands(screen: Screen, text: str) -> None:
    cells = [screen.draw("text", 6 * k, 0, char) for k, char in enumerate(text)]
    together = bytes(map(sum, zip(bytes(1024), *cells, strict=True)))
    assert screen.draw("text", 0, 0, text) == together


@pytest.mark.parametrize("char", ["\0", "\x1b", "\n", "\x7f", "\xa0", "\u0301", "\u200b", "\u202e", "\ufeff", "🙂"])
def test_what_has_no_glyph_is_one_box(screen: Screen, char: str) -> None:
    box = screen.draw("text", 0, 0, "\x01")
    assert len(lit(box)) == 24
    assert screen.draw("text", 0, 0, char) == box


OVERLONG = ["c181", "e08181", "e09090", "f0808181", "f08090a0", "f08282b4"]
BROKEN = ["eda080", "f8", "80", "d0", "e284"]


@pytest.mark.parametrize("code", OVERLONG + BROKEN)
def test_broken_utf8_never_passes_for_a_letter(screen: Screen, code: str) -> None:
    boxes = {screen.draw("text", 0, 0, "\x01" * count) for count in range(1, 5)}
    assert screen.draw("text", 0, 0, bytes.fromhex(code)) in boxes


def test_a_broken_sequence_swallows_no_letter_after_it(screen: Screen) -> None:
    assert screen.draw("text", 0, 0, b"\xd0A\xe2\x84B") == screen.draw("text", 0, 0, "\x01A\x01B")


def test_length_costs_no_memory(screen: Screen) -> None:
    words = {"headline": "СКАНИРУЙ ПЛОМБУ", "icon": "hand", "next_step": "НЕ ОТДАВАЙ без скана пломбы"}
    short = screen.ask("garbage", **words, code_tail="4F7K")
    assert short <= 1024
    long = screen.ask("garbage", **{**words, "headline": "Ж" * 5000}, code_tail="\u202e" * 5000)
    assert long <= short + 128


def test_strange_characters_leave_nothing_behind(screen: Screen) -> None:
    """`chr`, or a dict by character, would keep each of them for ever."""
    screen.ask("kept", 0x4E00, 1)
    assert screen.ask("kept", 0x5000, 2000) <= 64
