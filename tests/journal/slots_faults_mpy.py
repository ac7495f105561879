"""Flash that fails during a transfer. Under MicroPython only."""

import hashlib

import nor
from situations import refuses, run

from plomba_wire.terminal_end import Refusal
from terminal.flash import Region
from terminal.objects.slots import Slot, Transfer

OBJECT = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(200))


def transfer(chip) -> Transfer:
    return Transfer(Slot(Region(chip, 0, 2)), 3, 7, len(OBJECT), hashlib.sha256(OBJECT).digest())


def fail(chip, number: int) -> None:
    """The program that comes after `number` others reports an error."""
    chip.fails = lambda at: chip.programs == number + 1


def complete(coming: Transfer) -> None:
    go_on(coming)
    coming.check()
    coming.seal()


def go_on(coming: Transfer) -> None:
    while coming.offset < len(OBJECT):
        coming.write(coming.offset, OBJECT[coming.offset : coming.offset + 700])


def whole(chip) -> bool:
    slot = Slot(Region(chip, 0, 2))
    found = bytearray(slot.size)
    slot.read(0, found)
    return slot.version == 7 and found == OBJECT


def test_an_object_that_is_not_what_was_offered():
    chip = nor.Nor(nor.blank(2))
    coming = Transfer(Slot(Region(chip, 0, 2)), 3, 7, len(OBJECT), bytes(32))
    refuses(Refusal, coming.check)
    go_on(coming)
    refuses(Refusal, coming.check)
    assert not Slot(Region(chip, 0, 2)).size
    room = 2 * nor.BLOCK - nor.PAGE
    refuses(Refusal, Transfer, Slot(Region(chip, 0, 2)), 3, 7, room + 1, bytes(32))


def test_a_page_that_was_not_taken_is_written_again():
    for failing in range(26):
        chip = nor.Nor(nor.blank(2))
        coming = transfer(chip)
        fail(chip, failing)
        failed = 0
        try:
            go_on(coming)
        except OSError:
            failed += 1
            go_on(coming)
        coming.check()
        try:
            coming.seal()
        except OSError:
            failed += 1
            assert not Slot(Region(chip, 0, 2)).size
            coming.seal()
        assert failed == 1 and whole(chip)


def test_a_page_that_does_not_keep_what_is_programmed():
    for page in range(26):
        chip = nor.Nor(nor.blank(2))
        coming = transfer(chip)
        chip.worn = (page * 256 + 3,)
        refuses(OSError, complete, coming)
        assert not Slot(Region(chip, 0, 2)).size
        chip.worn = ()
        complete(transfer(chip))
        assert whole(chip)


def test_an_object_that_was_put_in_force_without_a_start_loses_its_title_first():
    chip = nor.Nor(nor.blank(2))
    slot = Slot(Region(chip, 0, 2))
    for version in (7, 8):
        coming = Transfer(slot, 3, version, len(OBJECT), hashlib.sha256(OBJECT).digest())
        go_on(coming)
        coming.seal()
        assert slot.version == version and slot.size == len(OBJECT)
    erased = []
    chip.before = lambda flash, kind, at, data: kind == nor.ERASE and erased.append(Slot(Region(flash, 0, 2)).size)
    Transfer(slot, 3, 9, 10, bytes(32))
    assert erased == [0] and slot.size == 0


run(globals())
