"""Flash that fails during a transfer, and what a slot keeps of what was there before. Under MicroPython only."""

import collects  # noqa: F401
import nor
from packages import Package, content, slot_of, wiped
from situations import refuses, run

BLOCKS = 4
SIZE = 5000
OBJECT = Package(7, content(7, SIZE))
PAGES = 2 + 16 + 4
"""Programs of a transfer into a blank slot, but for the title's: bundle, a whole block, the rest."""
TITLE = 1
"""Where the bundle begins, pages."""


def fail(chip, number: int, done: bool = False) -> None:
    """The program that comes after `number` others reports an error; `done`: although it is done."""
    wanted = chip.programs + number
    chip.fails = lambda at: chip.programs == wanted + 1
    chip.before = None
    if done:
        chip.before = lambda flash, kind, at, data: data and flash.programs == wanted and flash.program(at, data)


def act_again(act) -> int:
    """Acts until flash takes it; how often it did not."""
    failed = 0
    while True:
        try:
            act()
            return failed
        except OSError:
            failed += 1


def loses_its_title_first(chip, act, *arguments) -> None:
    """At no erase of what `act` does the slot has a title."""
    erased = []
    chip.before = lambda flash, kind, at, data: data is None and erased.append(slot_of(flash).size)
    act(*arguments)
    chip.before = None
    assert erased and not any(erased), erased


def test_a_page_that_was_not_taken_is_written_again():
    chip = nor.Nor(nor.blank(BLOCKS))
    OBJECT.send(OBJECT.to(slot_of(chip)))
    programs = chip.programs
    for done in (False, True):
        for failing in range(programs):
            coming = OBJECT.to(wiped(chip))
            fail(chip, failing, done)
            refuses(OSError, OBJECT.send, coming)
            assert not slot_of(chip).size
            assert not coming.complete
            held = max(0, failing - (programs - PAGES) - 2) // 16
            assert coming.offset == (OBJECT.boundary(held) if failing >= programs - PAGES + 2 else 0), failing
            OBJECT.send(coming)
            assert coming.complete
            coming.seal()
            assert OBJECT.whole_in(slot_of(chip)), failing


def test_a_page_that_does_not_keep_what_is_programmed():
    chip = nor.Nor(nor.blank(BLOCKS))
    for page in (TITLE, TITLE + 1, 32, 40, 47, 48, 51):
        coming = OBJECT.to(wiped(chip))
        chip.worn = (page * nor.PAGE + 3,)
        for _ in range(2):
            refuses(OSError, OBJECT.send, coming)
            assert coming.offset == (0 if page < 32 else OBJECT.boundary((page - 32) // 16)), page
            assert not coming.complete and not slot_of(chip).size
        # After a start of the board too, nothing is counted that flash does not hold.
        again = OBJECT.to(slot_of(chip))
        assert again.offset == coming.offset
        chip.worn = ()
        OBJECT.send(coming)
        coming.seal()
        assert OBJECT.whole_in(slot_of(chip))


def test_a_title_that_was_not_taken_is_programmed_again():
    chip = nor.Nor(nor.blank(BLOCKS))
    for done in (False, True):
        slot = wiped(chip)
        coming = OBJECT.to(slot)
        OBJECT.send(coming)
        fail(chip, 0, done)
        assert act_again(coming.seal) == 1
        assert OBJECT.whole_in(slot) and OBJECT.whole_in(slot_of(chip))


def test_a_title_that_flash_does_not_keep_is_none():
    chip = nor.Nor(nor.blank(BLOCKS))
    chip.worn = (6,)
    slot = slot_of(chip)
    coming = OBJECT.to(slot)
    OBJECT.send(coming)
    refuses(OSError, coming.seal)
    assert not slot.size and not slot_of(chip).size
    chip.worn = ()
    # Its page cannot be programmed any more: the next one with this bundle begins anew and erases it.
    coming = OBJECT.to(slot_of(chip))
    OBJECT.send(coming)
    coming.seal()
    assert OBJECT.whole_in(slot_of(chip))


def test_an_object_loses_its_title_before_anything_else():
    chip = nor.Nor(nor.blank(BLOCKS))
    slot = slot_of(chip)
    for version in (7, 8, 9):
        package = Package(version, content(version, SIZE))
        coming = package.to(slot)
        assert coming.offset == 0
        if version > 7:
            assert slot.version == version - 1, "an offer alone takes nothing away"
            loses_its_title_first(chip, package.send, coming, len(package.bundle))
        package.send(coming)
        assert not slot.size and not slot_of(chip).size
        coming.seal()
        assert package.whole_in(slot) and package.whole_in(slot_of(chip))


def test_a_title_that_could_not_be_taken_away_is_taken_before_anything_else():
    chip = nor.Nor(nor.blank(BLOCKS))
    slot = slot_of(chip)
    coming = OBJECT.to(slot)
    OBJECT.send(coming)
    coming.seal()
    other = Package(8, content(8, 1))
    coming = other.to(slot)
    fail(chip, 0)
    refuses(OSError, other.send, coming)
    assert OBJECT.whole_in(slot_of(chip)) and coming.offset == 0
    loses_its_title_first(chip, other.send, coming)


def test_a_title_that_was_programmed_with_an_error_is_taken_before_anything_else():
    chip = nor.Nor(nor.blank(BLOCKS))
    slot = slot_of(chip)
    coming = OBJECT.to(slot)
    OBJECT.send(coming)
    fail(chip, 0, done=True)
    refuses(OSError, coming.seal)
    assert OBJECT.whole_in(slot_of(chip))
    other = Package(8, content(8, 1))
    loses_its_title_first(chip, other.send, other.to(slot))


def test_trap_16_an_object_whose_title_was_half_taken_is_transferred_again():
    for end in range(len(nor.PROGRAM_ENDS)):
        chip = nor.Nor(nor.blank(BLOCKS))
        slot = slot_of(chip)
        coming = OBJECT.to(slot)
        OBJECT.send(coming)
        coming.seal()
        chip.tear(nor.PROGRAM, 0, bytes(nor.PAGE), end)
        coming = OBJECT.to(slot_of(chip))
        OBJECT.send(coming)
        coming.seal()
        assert OBJECT.whole_in(slot_of(chip)), nor.PROGRAM_ENDS[end]


run(globals())
