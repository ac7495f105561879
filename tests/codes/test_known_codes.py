"""Codes that others have published, and what each is to the terminal."""

from __future__ import annotations

import pytest
from codes_rig import ask_board, call

from plomba_wire import carriers, gs1, postal
from plomba_wire.vocabulary import CodeKind, Symbology, Verdict

MATRIX, QR, LINEAR = Symbology.DATA_MATRIX, Symbology.QR, Symbology.CODE_128
EAN, OTHER, TYPED = Symbology.EAN, Symbology.OTHER, Symbology.NONE
SSCC = (CodeKind.SSCC, b"106141411234567897")
GTIN = (CodeKind.GTIN, b"0109521234543213")
SGTIN = (CodeKind.GTIN, b"010952123454321321A7/x")
MARK = b"0104600439931256215a1b2c3d4e5f6"
CZ = [(CodeKind.CZ, MARK), (CodeKind.GTIN, MARK)]
UIN = (CodeKind.UIN, b"6431000000000018")
POST = [(CodeKind.RUSSIAN_POST, b"10100080000017"), (CodeKind.NOVA_POSHTA, b"10100080000017")]

# Sources: GS1 General Specifications and Digital Link examples (9521234543213, 106141411234567897), UPU S10 (47312482),
# Russian Post (1010008000001), Nova Poshta API documentation, public samples of the marketplaces.
KNOWN = [
    (b"]C100106141411234567897", LINEAR, [SSCC]),
    (b"00106141411234567897", LINEAR, [SSCC]),
    (b"\x1d00106141411234567897", LINEAR, [SSCC]),
    (b"\xe800106141411234567897\x1d", LINEAR, [SSCC]),
    ("è00106141411234567897".encode(), OTHER, [SSCC]),
    (b"00106141411234567897400A-7\x1d4101234567890128", LINEAR, [SSCC]),
    (b"https://id.gs1.org/00/106141411234567897", QR, [SSCC]),
    (b"]d2010952123454321321A7/x", MATRIX, [SGTIN]),
    (b"]d2010952123454321321A7/x\x1d10B", OTHER, [SGTIN]),
    (b"]d210B\x1d010952123454321321A7/x", OTHER, [SGTIN]),
    (b"]Q3010952123454321321A7/x%10B", QR, [SGTIN]),
    (b"]Q301095212345432132150%%\x1d10B", QR, [(CodeKind.GTIN, b"01095212345432132150%%")]),
    (b"]Q301095212345432132150%%%10B", QR, [(CodeKind.GTIN, b"01095212345432132150%")]),
    (b"]d201095212345432132155550%10B", MATRIX, [(CodeKind.GTIN, b"01095212345432132155550%10B")]),
    (b"https://id.gs1.org/01/09521234543213/21/A7%2fx", QR, [SGTIN]),
    (b"]Q1http://shop.example/01/7/01/9521234543213/10/B/21/A7%2Fx?17=261231#s", QR, [SGTIN]),
    (b"https://id.gs1.org/01/09521234543213", QR, [GTIN]),
    (b"]d20109521234543213", MATRIX, [GTIN]),
    (b"9521234543213", EAN, [GTIN]),
    (b"]E09521234543213", OTHER, [GTIN]),
    (b"614141999996", EAN, [(CodeKind.GTIN, b"0100614141999996")]),
    (b"95012346", EAN, [(CodeKind.GTIN, b"0100000095012346")]),
    (MARK + b"\x1d91EE06\x1d92" + b"+/" * 21 + b"A=", MATRIX, CZ),
    (b"]d2" + MARK + b"\x1d91EE06\x1d92" + b"+/" * 43 + b"A=", MATRIX, CZ),
    (b"\x1d" + MARK + b"\x1d93dGVz", OTHER, CZ),
    (MARK + b"\x1d8005112000\x1d93dGVz\x1d", MATRIX, CZ),
    (MARK, MATRIX, CZ[::-1]),
    (MARK, LINEAR, CZ[1:]),
    (MARK + b"\x1d91EE06\x1d92" + b"A" * 43, MATRIX, CZ[1:]),
    (b"00000046198488X?io+qCABm8wAYa", MATRIX, [(CodeKind.CZ, b"010000004619848821X?io+qCABm8")]),
    (b"RA123456785RU", LINEAR, [(CodeKind.S10, b"RA123456785RU")]),
    (b"RA473124829US", OTHER, [(CodeKind.S10, b"RA473124829US")]),
    (b"]C0ra473124829us", LINEAR, [(CodeKind.S10, b"RA473124829US")]),
    (b"10100080000017", OTHER, POST),
    (b"20450059800767", LINEAR, [(CodeKind.NOVA_POSHTA, b"20450059800767")]),
    (b"6431000000000018", MATRIX, [UIN]),
    (b"]d16431000000000018", OTHER, [UIN]),
    (b"https://probpalata.gov.ru/check-uin/?action=check&uin=6431000000000018", QR, [UIN]),
    (b"0109521234543213", MATRIX, [(CodeKind.UIN, b"0109521234543213"), GTIN]),
    (b"6431000000000018 6431000000000018", QR, []),
    (b"6431000000000018", LINEAR, []),
]
OPAQUE = [
    *(b"%101%806044518", b"%303%24276481394", b"401959881048000", b"24219509-0020-2", b"12345678*1234", b""),
    *(b"!uKEtQZVx", b"2316489753", b"PLB:7KQ2M", b"https://seal.example/s/ab12", b"seal-0042-ab", b"18042-7"),
    *(b"PLB*HANDOUT", "пломба №7".encode(), b"01046004399312562", b"00", b"01", b"]C1", b"]", b"https://"),
    *(b"https://shop.example/01/9521234543214/21/7", b"https://shop.example/01/9521234543213/21/7/10/B"),
    *(b"https://shop.example/01/9521234543213/21/%4", b"https://shop.example/01/9521234543213/21/"),
    *(b"https://shop.example/01/9521234543213/21/7/235/B", b"//01/9521234543213", b"ftp://id.gs1.org/01/9521234543213"),
    *(MARK[:-1] + b" ", MARK + b"\x1d21A", b"01095212345432138899", b"0109521234543213317112345"),
]
# What surely claims to be something it is not.
FALSE = [
    *((b"]C100106141411234567890", LINEAR), (b"00106141411234567890", LINEAR), (b"00106141411234567890", TYPED)),
    *((b"]d20109521234543214", MATRIX), (b"010952123454321421A7", MATRIX), (b"\x1d0109521234543214", LINEAR)),
    *((b"]d2010952123454321321A7\x1d4101234567890129", MATRIX), (b"]C1" + b"402" + b"1" * 17, LINEAR)),
    *((b"9521234543214", EAN), (b"]E09521234543214", OTHER), (b"95012347", EAN), (b"]Q30109521234543214", QR)),
    *((b"RA123456780RU", LINEAR), (b"RA123456780RU", TYPED), (b"]e00109521234543214", OTHER)),
    *((b"https://id.gs1.org/01/9521234543214", QR), (b"HTTPS://ID.GS1.ORG/00/106141411234567890", QR)),
    (MARK.replace(b"256", b"257") + b"\x1d93dGVz", MATRIX),
]
# The same shapes where somebody else's text may look so.
DOUBTFUL = [
    *((b"00106141411234567890", QR), (b"]C000106141411234567890", LINEAR), (b"001061414112345678901", LINEAR)),
    *((b"010952123454321421A7", QR), (b"]d1010952123454321421A7", MATRIX), (b"0109521234543214", MATRIX)),
    *((b"9521234543214", LINEAR), (b"952123454321", EAN), (b"10100080000018", OTHER), (b"20450059800767", LINEAR)),
    *((b"RA123456780XY", LINEAR), (b"ra123456780ru", LINEAR), (b"RA123456780RU", QR), (b"RA123456780AR"[:12], LINEAR)),
    *((b"https://shop.example/01/9521234543214/21/7", QR), (b"https://id.gs1.org.example/01/9521234543214", QR)),
    *((b"00000046198489X?io+qCABm8wAYa", MATRIX), (b"]C1952123454321", LINEAR), (b"]d2 0109521234543214", MATRIX)),
]


@pytest.mark.parametrize(("code", "symbology", "wanted"), KNOWN)
def test_a_known_code_has_its_identity_and_stays_itself(
    code: bytes, symbology: int, wanted: list[tuple[int, bytes]]
) -> None:
    assert carriers.identities(code, symbology) == [*wanted, (CodeKind.ORDER, code)]
    assert carriers.fault(code, symbology) == 0


@pytest.mark.parametrize("symbology", [MATRIX, QR, LINEAR, OTHER, TYPED])
@pytest.mark.parametrize("code", OPAQUE)
def test_a_text_of_somebody_else_is_only_itself(code: bytes, symbology: int) -> None:
    assert carriers.identities(code, symbology) == [(CodeKind.ORDER, code)]
    assert carriers.fault(code, symbology) == 0


@pytest.mark.parametrize(("code", "symbology"), FALSE)
def test_a_claim_that_fails_its_check_is_refused(code: bytes, symbology: int) -> None:
    assert carriers.fault(code, symbology) == Verdict.CHECK_DIGIT
    kinds = [kind for kind, _ in carriers.identities(code, symbology)]
    assert CodeKind.SSCC not in kinds and CodeKind.S10 not in kinds


@pytest.mark.parametrize(("code", "symbology"), DOUBTFUL)
def test_what_may_be_somebody_elses_is_never_refused(code: bytes, symbology: int) -> None:
    assert carriers.fault(code, symbology) == 0


def test_a_terminal_says_the_same() -> None:
    asked = [(code, symbology) for code, symbology, _ in KNOWN] + FALSE + DOUBTFUL
    for (code, symbology), answer in zip(asked, ask_board([call(s, c) for c, s in asked]), strict=True):
        identities = " ".join(f"{kind}:{value.hex()}" for kind, value in carriers.identities(code, symbology))
        assert answer == f"{carriers.fault(code, symbology)} {identities}"


@pytest.mark.parametrize("whole", [b"09521234543213", b"106141411234567897", b"4610008338218", b"10100080000017"])
def test_a_gs1_check_digit_is_the_only_one_that_fits(whole: bytes) -> None:
    assert [at for at in range(10) if gs1.check_digit_fits(whole[:-1] + b"%d" % at)] == [whole[-1] - 48]


@pytest.mark.parametrize("whole", [b"RA473124829US", b"RA123456785RU", b"RA000000005RU", b"RA000600000RU"])
def test_an_s10_check_digit_is_the_only_one_that_fits(whole: bytes) -> None:
    fitting = [at for at in range(10) if postal.s10_fits(whole[:10] + b"%d" % at + whole[11:])]
    assert fitting == [whole[10] - 48]


def test_a_country_is_two_letters_of_one_entry() -> None:
    """`EA` stands in the list too, across two entries."""
    assert postal.names_country(b"RU") and postal.names_country(b"UA") and postal.names_country(b"AD")
    assert not postal.names_country(b"EA") and not postal.names_country(b"XY") and not postal.names_country(b"ru")
