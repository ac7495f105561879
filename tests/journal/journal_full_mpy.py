"""A journal without room. Under MicroPython only."""

from bench import ONE, THREE, TWO, Bench
from situations import refuses, run

from terminal.journal.ring import JournalFull


def test_a_full_journal_refuses_and_loses_nothing():
    for length, records in ((ONE, 64), (TWO, 32), (THREE, 20)):
        bench = Bench()
        assert bench.fill(length) == records
        operations = bench.chip.programs + bench.chip.erases
        for _ in range(3):
            refuses(JournalFull, bench.append, length)
            assert not bench.journal.idle()
        # Three pages do not fit into the last one of a block.
        assert bench.journal.free_pages <= 1
        assert bench.chip.programs + bench.chip.erases == operations
        bench.whole()
        bench.start()
        refuses(JournalFull, bench.append, THREE)
        bench.whole()


def test_a_full_journal_goes_on_after_a_receipt():
    bench = Bench()
    bench.fill()
    bench.receipt(15)
    refuses(JournalFull, bench.append)
    bench.receipt(16)
    assert bench.journal.free_pages == 16
    assert bench.fill() == 16
    assert bench.journal.first_seq == 17
    refuses(IndexError, bench.journal.read, 16)
    bench.whole()
    bench.start()
    bench.whole()
    bench.receipt(80)
    assert bench.fill() == 64


def test_the_free_pages_are_those_that_can_be_written():
    for ahead in (0, 1, 15, 16, 17, 64, 70):
        for unreceipted in (0, 1, 16, 17, 40):
            bench = Bench()
            for _ in range(ahead):
                bench.add(ONE)
                bench.receipt(max(0, bench.journal.next_seq - 1 - unreceipted))
            for _ in range(2):
                free = bench.journal.free_pages
                bench.start()
            assert bench.journal.free_pages == free
            assert bench.fill() == free, (ahead, unreceipted, free)


def test_a_full_journal_signs_in_ram_when_the_signature_was_torn():
    bench = Bench()
    for _ in range(63):
        bench.add(ONE)
    bench.append()
    bench.tear_signature()
    assert bench.journal.unsigned == bench.journal.head
    assert bench.journal.read(64)[1] == b""
    bench.sign()
    assert bench.journal.unsigned is None
    assert bench.journal.read(64)[1] == bench.signatures[64]
    refuses(JournalFull, bench.append)
    assert bench.journal.read(64)[1] == bench.signatures[64]
    bench.receipt(64)
    bench.add(ONE)
    bench.start()
    assert bench.journal.first_seq <= 64
    assert bench.journal.read(64)[1] == bench.signatures[64]


def test_idle_erases_one_block_ahead_and_nothing_without_a_receipt():
    bench = Bench()
    bench.add(*[ONE] * 20)
    assert bench.journal.idle() and not bench.journal.idle()
    bench.start()
    assert bench.journal.idle() and not bench.journal.idle()
    bench.fill()
    bench.start()
    assert not bench.journal.idle()
    bench.receipt(15)
    assert not bench.journal.idle()
    bench.receipt(16)
    assert bench.journal.idle() and not bench.journal.idle()
    assert bench.journal.first_seq == 17
    bench.receipt(64)
    bench.start()
    assert bench.journal.first_seq == 17
    assert bench.journal.idle() and not bench.journal.idle()
    bench.fill()
    bench.whole()
    # All of it receipted: the block of the newest record stays.
    bench.receipt(bench.journal.next_seq - 1)
    while bench.journal.idle():
        pass
    bench.start()
    assert bench.journal.next_seq == bench.receipted + 1
    bench.whole()


run(globals())
