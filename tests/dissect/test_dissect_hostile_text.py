"""A code is printed by whoever prints it: nothing in it moves the cursor, hides or turns what stands beside it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import RECORDS, Recorded, dissected, shown

from plomba.dissect.values import Text
from plomba_wire import codec, tlv
from plomba_wire.vocabulary import Tlv

HOSTILE = "\x1b[2J\r\n\u202e\u2066\u200b\x9b\x07‮\u0301א\u2028\udcff".encode(errors="surrogateescape")


def harmless(text: str) -> bool:
    return all(char.isprintable() and unicodedata.bidirectional(char) not in ("R", "AL", "AN") for char in text)


def test_a_hostile_code_label_and_diary() -> None:
    body = RECORDS[0][0][: codec.RecordHead.SIZE] + tlv.pack({Tlv.CODE: HOSTILE, Tlv.ORDER: HOSTILE})
    made = Recorded().opened().syncing().records(1, (body, bytes(64))).up(codec.DiagOk(0, 9, HOSTILE))
    entries, _ = dissected(made)
    text = shown(entries)
    assert all(harmless(line) for line in text.split("\n"))
    assert "\\u{1b}[2J" in text and "\\u{202e}" in text and "\\xff" in text
    dumped = json.dumps([entry.as_json() for entry in entries])
    assert dumped.isascii()
    records = json.loads(dumped)[-2]["fields"]["records"]
    assert bytes.fromhex(records[0]["parts"]["CODE"]["hex"]) == HOSTILE and records[0]["parts"]["CODE"]["text"] is None


@given(st.binary(max_size=60))
def test_any_bytes(raw: bytes) -> None:
    assert harmless(str(Text(raw)))


@given(st.text(max_size=40))
def test_text_cannot_end_its_quotes(text: str) -> None:
    shown = str(Text(text.encode(errors="replace")))
    inner = shown[1:-1].replace("\\\\", "").replace('\\"', "")
    assert shown[0] == shown[-1] == '"' and '"' not in inner


@pytest.mark.parametrize("text", ["PLB:7KQ2M", "Серебро №1", "Ї-42", "a b"])
def test_usual_text_is_shown_as_it_is(text: str) -> None:
    assert str(Text(text.encode())) == f'"{text}"'


def test_colours_do_not_interpret_text() -> None:
    """What looks like the markup of the library that paints the dump is text."""
    from rich.console import Console
    from rich.text import Text as Painted

    console = Console(force_terminal=True, highlight=False, soft_wrap=True, width=80)
    with console.capture() as capture:
        console.print(Painted(str(Text(b"[red]x[/red]")), "bold"))
    assert "[red]x[/red]" in capture.get()
