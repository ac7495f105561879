"""Codes to try: whole ones of every carrier, made from the standards and not from the table, and such with something
wrong in them."""

from __future__ import annotations

from hypothesis import strategies as st

from plomba_wire.vocabulary import Symbology

SYMBOLOGIES = (
    *(Symbology.NONE, Symbology.QR, Symbology.DATA_MATRIX, Symbology.CODE_128, Symbology.EAN),
    Symbology.OTHER,
)
CSET82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def closed(body: str) -> str:
    """With its GS1 check digit."""
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def s10(letters: str, digits: str, country: str) -> str:
    weighted = zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)
    check = 11 - sum(int(digit) * weight for digit, weight in weighted) % 11
    return f"{letters}{digits}{ {10: 0, 11: 5}.get(check, check) }{country}"


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def text(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(CSET82, min_size=least, max_size=most)


sscc = digits(17).map(closed)
gtin14 = digits(13).map(closed)
gtin13 = digits(12).map(closed)
_other = st.one_of(
    text(1, 20).map("10{}\x1d".format),
    text(1, 30).map("240{}\x1d".format),
    digits(6).map("3103{}".format),
    digits(8).map("37{}\x1d".format),
    digits(12).map(closed).map("410{}".format),
    text(1, 90).map("91{}\x1d".format),
    st.just("15261231"),
)
_key = st.one_of(
    sscc.map("00{}".format),
    gtin14.map("01{}".format),
    st.tuples(gtin14, text(1, 20)).map(lambda made: f"01{made[0]}21{made[1]}\x1d"),
)
element_strings = st.tuples(_key, st.lists(_other, max_size=3, unique_by=lambda made: made[:2])).map(
    lambda made: made[0] + "".join(made[1])
)
"""SSCC or GTIN first, then others; each identifier once."""
chestny_znak = st.tuples(
    gtin14,
    st.sampled_from((6, 7, 13, 20)).flatmap(lambda size: text(size, size)),
    st.one_of(
        text(4, 4).map("\x1d93{}".format),
        st.tuples(text(4, 4), st.sampled_from((44, 88)).flatmap(lambda size: text(size, size))).map(
            lambda tail: f"\x1d91{tail[0]}\x1d92{tail[1]}"
        ),
    ),
).map(lambda made: f"01{made[0]}21{made[1]}{made[2]}")
_letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
postal = st.tuples(_letters, digits(8), st.sampled_from(("RU", "UA", "CN", "KZ"))).map(lambda made: s10(*made))
link = st.tuples(
    st.sampled_from(("https://id.gs1.org", "http://shop.example/a/01", "HTTPS://ID.GS1.ORG")),
    st.one_of(gtin14, gtin13, digits(7).map(closed)),
    st.sampled_from(("", "/10/AB", "/22/x/10/y")),
    st.one_of(st.just(""), st.text("AZaz09.-_~", min_size=1, max_size=20).map("/21/{}".format)),
    st.sampled_from(("", "?17=261231", "#a", "?linkType=all&x=/21/9")),
).map(lambda made: f"{made[0]}/01/{made[1]}{made[2]}{made[3]}{made[4]}")
carrier = st.one_of(
    *(element_strings, chestny_znak, postal, link, digits(16), digits(14), gtin14, gtin13),
    *(text(1, 40), text(14, 14), digits(16).map("https://probpalata.gov.ru/check-uin/?uin={}".format)),
)
prefix = st.sampled_from(
    ("", "", "]C1", "]e0", "]d2", "]Q3", "]J1", "]C0", "]d1", "]Q1", "]E0", "\x1d", "è", "]d2\x1d", "]x9")
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A code as a scanner may send it, with up to three bytes changed, lost or put in."""
    code = bytearray((draw(prefix) + draw(carrier)).encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(code)))
        put = draw(st.sampled_from((b"", b"\x1d", b"%", b"0", b"/", b"\xe8", b"\x1b", b"A")))
        code[at : at + draw(st.integers(0, 1))] = put
    return bytes(code)


anything = st.one_of(spoiled(), spoiled(), st.binary(max_size=310))
