"""Blocks on their way into a slot: which are refused before flash hears of them, and where a transfer goes on.

Under MicroPython only.
"""

import collects  # noqa: F401
import nor
from packages import NOW, ROOT, Package, content, flipped, refusal, slot_of, wiped
from situations import run

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal.flash import BLOCK
from terminal.objects.transfer import Transfer

CHIP = nor.Nor(nor.blank(5))
SIZE = 2 * BLOCK + 700
CONTENT = content(2, SIZE)
OBJECT = Package(2, CONTENT)
BORDER = len(OBJECT.bundle)


def test_trap_16_a_transfer_goes_on_at_each_block_boundary():
    for blocks in range(OBJECT.blocks + 1):
        for more in (0, 1, 300):
            wiped(CHIP)
            OBJECT.send(OBJECT.to(slot_of(CHIP)), min(OBJECT.size, OBJECT.boundary(blocks) + more))
            erases = CHIP.erases
            coming = OBJECT.to(slot_of(CHIP))
            assert coming.offset == OBJECT.boundary(blocks), (blocks, more, coming.offset)
            OBJECT.send(coming)
            assert CHIP.erases - erases == OBJECT.blocks - blocks and coming.complete
            assert not slot_of(CHIP).size
            coming.seal()
            assert OBJECT.whole_in(slot_of(CHIP))


def test_trap_16_a_block_that_flash_lost_since_is_wanted_again():
    for at, offset in ((0, BORDER), (BLOCK - 1, BORDER), (BLOCK, BORDER + BLOCK), (SIZE - 1, BORDER + 2 * BLOCK)):
        OBJECT.send(OBJECT.to(wiped(CHIP)))
        CHIP.image[2 * BLOCK + at] ^= 16
        coming = OBJECT.to(slot_of(CHIP))
        assert coming.offset == offset and not coming.complete
        OBJECT.send(coming)
        coming.seal()
        assert OBJECT.whole_in(slot_of(CHIP))
    OBJECT.send(OBJECT.to(wiped(CHIP)))
    CHIP.image[nor.PAGE + BORDER - 1] ^= 16
    assert OBJECT.to(slot_of(CHIP)).offset == 0


def test_trap_16_another_bundle_begins_anew():
    newer = Package(3, content(3, SIZE))
    other = Package(2, content(5, SIZE))
    grown = Package(3, CONTENT)
    for instead in (newer, other, grown):
        OBJECT.send(OBJECT.to(wiped(CHIP)), OBJECT.boundary(2))
        coming = instead.to(slot_of(CHIP))
        assert coming.offset == 0
        instead.send(coming)
        coming.seal()
        assert instead.whole_in(slot_of(CHIP))


def test_trap_16_what_is_kept_goes_on_only_for_the_offer_it_fits():
    OBJECT.send(OBJECT.to(wiped(CHIP)), OBJECT.boundary(2))
    kind, version, size, length, sha256 = OBJECT.offer
    for code, asked, detail in (
        (Error.MALFORMED, (ObjectKind.RULES, version, size, length, sha256), 0),
        (Error.ROLLBACK, (kind, 3, size, length, sha256), version),
        (Error.MALFORMED, (kind, version, size - 1, length, sha256), 0),
    ):
        assert refusal(CHIP, Transfer, asked, ROOT, NOW, slot_of(CHIP)) == (code, detail)
    assert OBJECT.to(slot_of(CHIP)).offset == OBJECT.boundary(2)


def test_trap_16_a_block_that_is_not_the_listed_one_is_refused_before_flash():
    older = content(4, SIZE)
    whole = [CONTENT[at : at + BLOCK] for at in range(0, SIZE, BLOCK)]
    for index, right in enumerate(whole):
        size = len(right)
        swapped = (whole[(index + 1) % 3] + bytes(BLOCK))[:size]
        early = bytes(CONTENT[index * BLOCK + 1 : index * BLOCK + 1 + size])
        truncated = (bytes(right[: size // 2]) + early + bytes(BLOCK))[:size]
        wrong = (
            swapped,
            flipped(right, 0),
            flipped(right, size // 2),
            flipped(right, size - 1),
            truncated,
            older[index * BLOCK : index * BLOCK + size],
            bytes(size),
            b"\xff" * size,
        )
        coming = OBJECT.to(wiped(CHIP))
        OBJECT.send(coming, OBJECT.boundary(index))
        start = coming.offset
        for number, block in enumerate(wrong):
            for step in (size, 512):
                for at in range(0, size - step, step):
                    coming.write(start + at, block[at : at + step])
                at = coming.offset - start
                assert refusal(CHIP, coming.write, coming.offset, block[at:]) == (Error.BAD_HASH, start), (
                    index,
                    number,
                )
                assert coming.offset == start and not coming.complete
        # Nor does a start of the board count it.
        assert OBJECT.to(slot_of(CHIP)).offset == start
        OBJECT.send(coming)
        coming.seal()
        assert OBJECT.whole_in(slot_of(CHIP))


def test_trap_16_a_wrong_block_behind_right_ones_in_one_piece_takes_nothing_from_them():
    coming = OBJECT.to(wiped(CHIP))
    OBJECT.send(coming, OBJECT.boundary(1) - 10)
    at = coming.offset
    piece = OBJECT.piece(at, at + 10) + bytes(BLOCK)
    try:
        coming.write(at, piece)
        raise AssertionError("not refused")
    except Refusal as refused:
        assert (refused.code, refused.detail) == (Error.BAD_HASH, OBJECT.boundary(1))
    assert coming.offset == OBJECT.boundary(1) == OBJECT.to(slot_of(CHIP)).offset


def test_trap_16_a_truncated_content_is_not_complete():
    coming = OBJECT.to(wiped(CHIP))
    OBJECT.send(coming, OBJECT.size - 1)
    assert not coming.complete and coming.offset == OBJECT.size - 1
    assert refusal(CHIP, coming.write, coming.offset, bytes(2)) == (Error.TOO_BIG, OBJECT.size)
    coming.write(coming.offset, b"")
    assert not coming.complete and OBJECT.to(slot_of(CHIP)).offset == OBJECT.boundary(2)


def test_a_piece_lies_across_bundle_and_content():
    for at in (0, BORDER - 1):
        coming = OBJECT.to(wiped(CHIP))
        OBJECT.send(coming, at)
        coming.write(at, OBJECT.piece(at, BORDER + BLOCK + 100))
        assert coming.offset == BORDER + BLOCK + 100
        OBJECT.send(coming)
        coming.seal()
        assert OBJECT.whole_in(slot_of(CHIP))


def test_pieces_that_come_twice_too_early_or_too_late_change_nothing():
    coming = OBJECT.to(wiped(CHIP))
    for end in (1, BORDER - 1, BORDER, BORDER + 1, OBJECT.boundary(1), OBJECT.boundary(2) + 5, OBJECT.size):
        OBJECT.send(coming, end)
        operations = CHIP.programs + CHIP.erases
        for at in (0, end - 1, end + 1, BORDER, OBJECT.boundary(1), OBJECT.boundary(2), OBJECT.size - 1, 0xFFFFFFFF):
            if at != end:
                coming.write(at, OBJECT.piece(at, at + 200))
                coming.write(at, bytes(SIZE))
                assert coming.offset == end and CHIP.programs + CHIP.erases == operations, (end, at)
        assert refusal(CHIP, coming.write, end, bytes(OBJECT.size - end + 1)) == (Error.TOO_BIG, OBJECT.size)
        coming.write(end, b"")
        assert coming.offset == end
    assert coming.complete
    coming.seal()
    assert OBJECT.whole_in(slot_of(CHIP))


run(globals())
