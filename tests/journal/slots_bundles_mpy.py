"""Bundles that are refused before flash hears of them, and small objects. Under MicroPython only."""

import collects  # noqa: F401
import nor
from packages import (
    DESK_KEY,
    NOW,
    ROOT,
    STRANGER_KEY,
    Package,
    bundle,
    certificate,
    content,
    flipped,
    hashes,
    offer,
    refusal,
    signed,
    wiped,
)
from situations import run

from plomba_wire.codec import BlockList
from plomba_wire.vocabulary import Error, ObjectKind, Role
from terminal.flash import BLOCK
from terminal.objects.transfer import SMALL_MAX, Transfer

CHIP = nor.Nor(nor.blank(5))
SIZE = 2 * BLOCK + 700
OBJECT = Package(2, content(2, SIZE))


def refuses_bundle(code: int, whole: bytes, asked: "tuple", detail: int = 0, now: int = NOW) -> None:
    """In one piece and in several; afterwards the transfer is at its beginning."""
    for step in (len(whole), 100):
        transfer = Transfer(asked, ROOT, now, wiped(CHIP))
        for at in range(0, asked[3] - step, step):
            transfer.write(at, whole[at : at + step])
        at = transfer.offset
        assert refusal(CHIP, transfer.write, at, whole[at : asked[3]]) == (code, detail), step
        assert transfer.offset == 0 and transfer.envelope is None and not transfer.complete


def listed(size: int, hashes: bytes) -> bytes:
    return signed(ObjectKind.MANIFEST, 2, BlockList(size, hashes).pack(), DESK_KEY)


def test_a_bundle_is_refused_before_flash_hears_of_it():
    border = len(OBJECT.bundle)
    good = hashes(OBJECT.content)
    body = BlockList(SIZE, good).pack()

    def asked(whole: bytes) -> "tuple":
        return offer(whole, 2, len(whole) + SIZE)

    for code, whole, detail in (
        (Error.BAD_SIGNATURE, flipped(OBJECT.bundle, border - 1), 0),
        (Error.BAD_SIGNATURE, flipped(OBJECT.bundle, border - 64 - 1), 0),
        (Error.BAD_SIGNATURE, flipped(OBJECT.bundle, len(certificate()) + 1), 0),
        (Error.UNKNOWN_KEY, bundle(listed(SIZE, good), certificate(issuer=STRANGER_KEY)), 0),
        (Error.UNKNOWN_KEY, bundle(listed(SIZE, good), certificate(key=STRANGER_KEY)), 0),
        (Error.WRONG_ROLE, bundle(listed(SIZE, good), certificate(Role.DOCK)), 0),
        (Error.WRONG_ROLE, bundle(signed(ObjectKind.RECEIPT, 2, bytes(90), DESK_KEY)), 0),
        (Error.MALFORMED, bundle(signed(ObjectKind.RULES, 2, body, DESK_KEY)), 0),
        (Error.ROLLBACK, bundle(signed(ObjectKind.MANIFEST, 1, body, DESK_KEY)), 1),
        (Error.ROLLBACK, bundle(signed(ObjectKind.MANIFEST, 3, body, DESK_KEY)), 3),
        (Error.MALFORMED, bundle(listed(SIZE - 1, good)), 0),
        (Error.MALFORMED, bundle(listed(SIZE + 1, good)), 0),
        (Error.MALFORMED, bundle(listed(SIZE, good[:-32])), 0),
        (Error.MALFORMED, bundle(listed(SIZE, good[:-1])), 0),
        (Error.MALFORMED, bundle(listed(SIZE, good + bytes(32))), 0),
        (Error.MALFORMED, bundle(signed(ObjectKind.MANIFEST, 2, b"123", DESK_KEY)), 0),
        (Error.MALFORMED, OBJECT.bundle[:-1], 0),
        (Error.MALFORMED, OBJECT.bundle + b"\0", 0),
        (Error.MALFORMED, bytes(100), 0),
    ):
        refuses_bundle(code, whole, asked(whole), detail)
    refuses_bundle(Error.BAD_HASH, OBJECT.bundle, OBJECT.offer[:4] + (bytes(32),))
    refuses_bundle(Error.BAD_HASH, flipped(OBJECT.bundle, 90), OBJECT.offer)
    empty = bundle(listed(0, b""))
    refuses_bundle(Error.MALFORMED, empty, offer(empty, 2, len(empty)))
    dated = bundle(signed(ObjectKind.MANIFEST, 2, body, DESK_KEY, NOW - 10, NOW - 1))
    refuses_bundle(Error.EXPIRED, dated, asked(dated))
    refuses_bundle(Error.EXPIRED, dated, asked(dated), now=NOW - 11)
    for now in (NOW - 5, 0):
        accepted = Transfer(asked(dated), ROOT, now, wiped(CHIP))
        accepted.write(0, dated)
        assert accepted.envelope is not None


def test_what_does_not_fit_is_refused_as_it_is_offered():
    slot = wiped(CHIP)
    room, front = 3 * BLOCK, 2 * BLOCK - nor.PAGE
    digest = bytes(32)
    for code, size, length, detail in (
        (Error.TOO_BIG, room + 301, 300, room),
        (Error.TOO_BIG, 0xFFFFFFFF, 300, room),
        (Error.TOO_BIG, front + 1, front + 1, front),
        (Error.MALFORMED, 299, 300, 0),
    ):
        assert refusal(CHIP, Transfer, (ObjectKind.MANIFEST, 2, size, length, digest), ROOT, NOW, slot) == (
            code,
            detail,
        )
    assert Transfer((ObjectKind.MANIFEST, 2, room + front, front, digest), ROOT, NOW, slot).offset == 0
    nothing = Transfer((ObjectKind.MANIFEST, 2, 300, 0, digest), ROOT, NOW, slot)
    assert refusal(CHIP, nothing.write, 0, b"1") == (Error.BAD_HASH, 0) and not nothing.complete


def small(kind: int, body: bytes, size: int = 0) -> "tuple[bytes, Transfer]":
    whole = bundle(signed(kind, 2, body, DESK_KEY))
    return whole, Transfer(offer(whole, 2, size or len(whole), kind), ROOT, NOW, None)


def test_a_small_object_is_its_bundle():
    for kind, size in ((ObjectKind.RULES, 1), (ObjectKind.TIME, 32), (ObjectKind.RULES, 3000), (ObjectKind.RULES, 0)):
        body = content(2, size)
        whole, coming = small(kind, bytes(body))
        while coming.offset < len(whole):
            assert not coming.complete
            at = coming.offset
            coming.write(at + 1, whole[at : at + 900])
            assert coming.offset == at
            if at:
                coming.write(0, whole[:900])
                assert coming.offset == at
            assert refusal(CHIP, coming.write, at, bytes(len(whole) - at + 1)) == (Error.TOO_BIG, len(whole))
            coming.write(at, whole[at : at + 900])
        assert coming.complete and coming.bundle == whole and coming.body == body
        assert (coming.envelope.kind, coming.envelope.version) == (kind, 2)


def test_a_small_object_has_a_largest_size_and_no_content():
    room = SMALL_MAX - len(bundle(signed(ObjectKind.RULES, 2, b"", DESK_KEY)))
    whole, coming = small(ObjectKind.RULES, bytes(room))
    assert len(whole) == SMALL_MAX == 8192
    coming.write(0, whole)
    assert coming.complete
    assert refusal(CHIP, small, ObjectKind.RULES, bytes(room + 1)) == (Error.TOO_BIG, SMALL_MAX)
    assert refusal(CHIP, small, ObjectKind.RULES, b"1", 5000) == (Error.MALFORMED, 0)


def test_a_small_object_is_refused():
    for kind in (ObjectKind.RULES, ObjectKind.TIME):
        whole = flipped(bundle(signed(kind, 2, b"body", DESK_KEY)), 200)
        coming = Transfer(offer(whole, 2, len(whole), kind), ROOT, NOW, None)
        assert refusal(CHIP, coming.write, 0, whole) == (Error.BAD_SIGNATURE, 0)
        assert coming.offset == 0 and not coming.complete
    whole, coming = small(ObjectKind.RULES, b"body")
    assert refusal(CHIP, coming.write, 0, flipped(whole, 5)) == (Error.BAD_HASH, 0)
    coming.write(0, whole)
    assert coming.complete
    asked = offer(whole, 3, len(whole), ObjectKind.RULES)
    assert refusal(CHIP, Transfer(asked, ROOT, NOW, None).write, 0, whole) == (Error.ROLLBACK, 2)


run(globals())
