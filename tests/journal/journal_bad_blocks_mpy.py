"""Blocks that cannot be erased, programmed or read. Under MicroPython only."""

import nor
from bench import ONE, THREE, Bench
from situations import refuses, run

from terminal.journal.damage import next_damaged
from terminal.journal.ring import JournalFull

WRITING = (nor.PROGRAM_ERROR, nor.ERASE_ERROR, nor.PROGRAM_NOOP, nor.ERASE_NOOP)


def bad(bench: Bench, block: int, mode: int) -> None:
    bench.chip.bad, bench.chip.mode = block, mode


def test_a_block_that_cannot_be_written_is_passed_over_and_found_again_after_a_start():
    for mode in WRITING:
        bench = Bench()
        bench.fill()
        bench.receipt(64)
        bad(bench, 1, mode)
        assert bench.fill() == 48
        assert bench.journal.bad_blocks == 1
        bench.whole()
        bench.start()
        assert bench.journal.bad_blocks == 0
        bench.whole()
        bench.receipt(112)
        assert bench.fill() == 48
        assert bench.journal.bad_blocks == 1
        bench.start()
        bench.whole()


def test_a_block_that_goes_bad_while_it_is_written_keeps_what_it_has():
    for mode in (nor.PROGRAM_ERROR, nor.PROGRAM_NOOP):
        for already in (3, 14, 15):
            bench = Bench()
            bench.add(*[ONE] * already)
            bad(bench, 0, mode)
            bench.add(ONE, THREE, ONE)
            assert bench.journal.bad_blocks == (already < 13)
            bench.whole()
            bench.start()
            bench.whole()


def test_a_signature_that_a_block_does_not_take_moves_its_record():
    for mode in (nor.PROGRAM_ERROR, nor.PROGRAM_NOOP):
        bench = Bench()
        bench.append()
        bad(bench, 0, mode)
        bench.sign()
        assert bench.journal.bad_blocks == 1
        bench.start()
        bench.whole()


def test_idle_passes_over_a_block_that_cannot_be_erased():
    for mode in (nor.ERASE_ERROR, nor.ERASE_NOOP):
        bench = Bench()
        bench.fill()
        bench.receipt(64)
        bad(bench, 0, mode)
        assert bench.journal.idle() and bench.journal.bad_blocks == 1
        assert bench.journal.idle() and not bench.journal.idle()
        assert bench.journal.free_pages == 48
        assert bench.programs(bench.append)[0][0] == 16


def test_a_bad_block_with_records_that_have_no_receipt_is_not_passed():
    bench = Bench()
    bench.add(*[ONE] * 5)
    bad(bench, 0, nor.PROGRAM_ERROR)
    assert bench.fill() == 48
    free = bench.journal.free_pages
    refuses(JournalFull, bench.append)
    assert free == 0 and not bench.journal.idle()
    bench.receipt(4)
    refuses(JournalFull, bench.append)
    bench.whole()
    bench.receipt(20)
    assert bench.journal.free_pages == 0, "the block after it was not receipted as a whole"
    bench.receipt(21)
    assert bench.journal.free_pages == 16
    assert bench.fill() == 16
    bench.start()
    bench.whole()


def test_with_one_good_block_the_newest_record_is_not_erased():
    bench = Bench(3)
    bench.add(*[ONE] * 16)
    bench.receipt(16)
    bench.chip.fails = lambda at: at >= nor.BLOCK
    refuses(OSError, bench.append)
    assert bench.journal.bad_blocks == 2 and bench.journal.free_pages == 0
    refuses(OSError, bench.append)
    assert not bench.journal.idle()
    bench.chip.fails = None
    bench.start()
    bench.whole()
    bench.add(ONE)
    bench.whole()


def test_an_unreadable_block_is_missing_and_said():
    for ahead, block, broken in ((20, 0, 1), (40, 1, 17)):
        bench = Bench()
        bench.add(*[ONE] * ahead)
        bad(bench, block, nor.READ_ERROR)
        bench.start()
        assert bench.journal.broken == broken and bench.journal.bad_blocks == 1
        assert bench.journal.next_seq == ahead + 1 and bench.journal.first_seq == broken + 16
        refuses(OSError, bench.journal.read, broken) if broken > 1 else refuses(IndexError, bench.journal.read, broken)
        assert bench.journal.read(broken + 16)[0] == bench.bodies[broken + 16]
        bench.receipt(ahead)
        bench.start()
        assert not bench.journal.broken
        bench.add(ONE)


def test_the_numbers_of_an_unreadable_block_are_not_given_again():
    for ahead in (3, 16, 17, 30, 64, 70):
        bench = Bench()
        for _ in range(ahead):
            bench.add(ONE)
            bench.receipt(max(0, bench.journal.next_seq - 30))
        last = (ahead - 1) // 16
        bad(bench, last % 4, nor.READ_ERROR)
        bench.start()
        assert bench.journal.next_seq == last * 16 + 17 > ahead
        assert bench.journal.broken == last * 16 + 1
        bench.add(ONE)
        head = bench.journal.head
        bench.start()
        assert bench.journal.head == head and bench.journal.broken == last * 16 + 1


def test_an_unreadable_block_behind_one_with_room_held_nothing_new():
    bench = Bench()
    bench.add(*[ONE] * 20)
    bad(bench, 2, nor.READ_ERROR)
    bench.start()
    assert bench.journal.next_seq == 21 and not bench.journal.broken
    bench.add(*[ONE] * 13)
    bench.start()
    bench.whole()


def test_nothing_is_programmed_into_a_block_that_only_says_it_was_erased():
    bench = Bench()
    bench.fill(THREE)
    bench.receipt(20)
    before = bytes(bench.chip.image[nor.BLOCK : 2 * nor.BLOCK])
    bad(bench, 1, nor.ERASE_NOOP)
    bench.fill(THREE)
    assert bench.journal.bad_blocks == 1
    assert bytes(bench.chip.image[nor.BLOCK : 2 * nor.BLOCK]) == before


def test_old_records_in_a_bad_block_do_not_date_what_was_damaged_before_them():
    bench = Bench()
    bench.fill()
    bench.receipt(64)
    bad(bench, 1, nor.ERASE_ERROR)
    bench.add(*[ONE] * 20)
    for seq in range(65, 81):
        bench.flip(seq)
    before = bytes(bench.chip.image[: nor.BLOCK])
    bench.start()
    assert bench.journal.broken == 65
    bench.fill()
    assert not bench.journal.idle()
    assert bytes(bench.chip.image[: nor.BLOCK]) == before, "erased without a receipt"


def test_damaged_pages_are_handed_out_past_an_unreadable_block():
    bench = Bench()
    bench.add(*[ONE] * 40)
    bench.flip(35)
    bad(bench, 1, nor.READ_ERROR)
    assert next_damaged(bench.region, 0) == 34
    assert next_damaged(bench.region, 20) == 34
    assert next_damaged(bench.region, 35) is None


run(globals())
