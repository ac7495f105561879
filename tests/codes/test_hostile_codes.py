"""A code read from paper is hostile: whatever it holds, it is itself, and an identity is of harmless characters."""

from __future__ import annotations

import pytest
from code_samples import CSET82, SYMBOLOGIES, anything, closed
from codes_rig import ask_board, call
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba_wire import carriers
from plomba_wire.vocabulary import CodeKind, Verdict

HOSTILE = [
    *(b"", b"\x1d", b"\x1d" * 300, b"\0" * 300, b"]", b"]C", b"]C1\x1d", b"]d2\x1d\x1d", b"\xe8", b"\xc3"),
    *(b"\xc3\xa8\x1d", b"\x1b[2J\x1b[1;31m", b"\x1b]0;owned\x07", b"\x9b31m", b"\xff\xfe" * 20, b"://", b"http://"),
    *("\u202e\u2066\u200f12345".encode(), "0109521234543213\u202e21A".encode(), "RA12345678\u0665RU".encode()),
    *(b"01095212345432132\x001A", b"010952123454321321A\x1b[2J", b"0109521234543213 21A", b"]C100" + b"1" * 298),
    *("00106141411234567897\u0661".encode(), b"RA12345678\xb5RU", b"A" * 300, b"A" * 301, b"1" * 5000),
    *(b"]d20109521234543213" * 20, b"https://" + b"/01" * 100, b"https:///00/", b"%s%n%x{0}", b"../../etc/passwd"),
    *(b"https://id.gs1.org/01/9521234543213/21/%00", b"https://id.gs1.org/01/9521234543213/21/%1B%5B2J"),
    *(b"https://id.gs1.org/01/9521234543213/21/%", b"https://id.gs1.org/01/9521234543213/21/%E2%80%AE"),
    *(b"=cmd|'/C calc'!A0", b"'; DROP TABLE orders; --", b"<script>alert(1)</script>"),
]


def held(code: bytes, symbology: int) -> None:
    found = carriers.identities(code, symbology)
    assert found[-1] == (CodeKind.ORDER, code)
    assert len(set(found)) == len(found)
    for kind, value in found[:-1]:
        assert kind != CodeKind.ORDER and 0 < len(value) <= 38
        assert not value.strip(CSET82.encode())
    assert carriers.fault(code, symbology) in (0, Verdict.CHECK_DIGIT)


@pytest.mark.parametrize("symbology", SYMBOLOGIES)
@pytest.mark.parametrize("code", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_code_is_a_text(code: bytes, symbology: int) -> None:
    held(code, symbology)
    kinds = {kind for kind, _ in carriers.identities(code, symbology)}
    assert not kinds & {CodeKind.SSCC, CodeKind.S10, CodeKind.CZ, CodeKind.GTIN}
    assert carriers.fault(code, symbology) == 0


@settings(max_examples=1500, deadline=None)
@given(st.one_of(anything, st.text(max_size=100).map(str.encode)), st.sampled_from(SYMBOLOGIES))
def test_no_text_does_harm(code: bytes, symbology: int) -> None:
    held(code, symbology)


def test_nor_on_a_terminal() -> None:
    calls = [call(symbology, code) for code in HOSTILE for symbology in SYMBOLOGIES]
    answers = ask_board(calls)
    for asked, answer in zip(calls, answers, strict=True):
        assert answer.split()[0] == "0" and answer.split()[-1] == f"1:{asked.split()[1].replace('-', '')}"


def test_a_code_too_long_to_be_one_of_ours_is_only_itself() -> None:
    whole = f"]C100{closed('1' * 17)}91".encode()
    longest = whole + b"\x1d" * (300 - len(whole) - 1) + b"A"
    assert carriers.identities(longest[: len(whole)] + b"A", 5)[0][0] == CodeKind.SSCC
    assert len(carriers.identities(whole + b"A" + b"\x1d" * (299 - len(whole)), 5)) == 2
    assert len(carriers.identities(whole + b"A" + b"\x1d" * (300 - len(whole)), 5)) == 1
