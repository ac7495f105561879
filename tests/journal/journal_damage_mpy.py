"""Flash that lost something, or does not keep it. Under MicroPython only."""

from bench import ONE, THREE, TWO, Bench
from bodies import body
from situations import refuses, run

from plomba_wire import chain
from terminal.journal.ring import Journal, JournalFull


def test_a_receipt_for_records_that_are_no_longer_there():
    bench = Bench()
    bench.add(*[ONE] * 5)
    bench.receipt(9)
    bench.start()
    assert bench.journal.next_seq == 10, "no number is given twice"
    assert bench.journal.broken == 10
    assert bench.journal.read(5)[0] == bench.bodies[5]
    refuses(OSError, bench.journal.read, 7)
    bench.add(ONE)
    bench.start()
    assert bench.journal.broken == 10, "it is not forgotten"
    bench.receipt(100)
    bench.start()
    refuses(OSError, bench.journal.read, 5 + 64)
    bench.receipt(9)
    bench.start()
    assert bench.journal.read(10)[0] == bench.bodies[10]


def test_a_journal_that_was_emptied():
    bench = Bench()
    bench.receipt(9)
    bench.start()
    assert bench.journal.next_seq == bench.journal.first_seq == 10
    assert bench.journal.broken == 10
    bench.add(ONE)
    bench.start()
    assert bench.journal.broken == 10


def test_the_newest_record_is_damaged():
    """It was signed, so it may have been sent: its number is not given to another."""
    for ahead in (3, 15, 16, 17):
        for length in (ONE, TWO, THREE):
            for place in (0, 1, 2, 3, 5, 20, 70):
                newest_damaged(ahead, length, place)


def newest_damaged(ahead: int, length: int, place: int) -> None:
    bench = Bench()
    bench.add(*[ONE] * ahead)
    content = bytearray(body(ahead + 1, bench.journal.head, length))
    if length > ONE:
        # One bit away from the head of an entry.
        content[216] = 0xA4
    bench.append(length, bytes(content))
    bench.sign()
    lost = bench.where(ahead + 1)
    bench.flip(ahead + 1, place)
    bench.start()
    assert bench.journal.broken == ahead + 1, bench.journal.broken
    assert bench.journal.next_seq == ahead + 2, bench.journal.next_seq
    for seq in range(1, ahead + 1):
        assert bench.journal.read(seq)[0] == bench.bodies[seq]
    bench.receipt(ahead)
    bench.add(ONE)
    bench.fill()
    assert bench.chip.image[lost] == bench.bodies[ahead + 1][0], "it was erased without a receipt"
    bench.start()
    assert bench.journal.broken == ahead + 1
    assert bench.journal.read(ahead + 2)[0] == bench.bodies[ahead + 2]


def test_a_damaged_record_hides_no_other():
    bench = Bench()
    bench.add(*[ONE] * 40)
    bench.receipt(4)
    bench.flip(10)
    bench.flip(30)
    bench.flip(31)
    bench.start()
    assert bench.journal.broken == 10
    assert bench.journal.oldest_seq == 1 and bench.journal.first_seq == 32
    for seq in range(1, 41):
        if seq in (10, 30, 31):
            refuses(OSError, bench.journal.read, seq)
        else:
            assert bench.journal.read(seq)[0] == bench.bodies[seq]
    assert bench.journal.digest_before(10) == chain.step(bench.journal.read(9)[2], bench.bodies[9])
    refuses(OSError, bench.journal.digest_before, 31)
    assert bench.journal.digest_before(32) == bench.journal.read(32)[2]
    bench.fill()
    assert bench.journal.read(1)[0] == bench.bodies[1], "erased without a receipt"


def test_a_damaged_block_is_not_erased_without_a_receipt():
    for length, records in ((ONE, 16), (TWO, 8), (THREE, 5)):
        bench = Bench()
        bench.fill(length)
        for seq in range(records + 1, 2 * records + 1):
            bench.flip(seq)
        before = bytes(bench.chip.image[4096:8192])
        bench.receipt(2 * records - 1)
        bench.start()
        assert bench.journal.broken == 2 * records
        assert bench.fill(length) == records
        assert not bench.journal.idle()
        bench.start()
        refuses(JournalFull, bench.append, length)
        assert bytes(bench.chip.image[4096:8192]) == before
        bench.receipt(2 * records)
        bench.start()
        assert not bench.journal.broken
        assert bench.fill(length) == records


def test_a_record_that_follows_another_chain():
    bench = Bench()
    bench.add(*[ONE] * 5)
    other = Journal(bench.region, b"genesis of another journal, 32 b", 0)
    assert other.broken == 1
    other.head = b"a head of nobody, with 32 bytes."
    bench.journal = other
    bench.add(ONE, ONE)
    bench.start()
    assert bench.journal.broken == 6
    assert bench.journal.first_seq == 6 and bench.journal.oldest_seq == 1


def test_flash_that_does_not_keep_what_is_programmed():
    bench = Bench()
    bench.add(ONE, ONE)
    bench.chip.worn = (2 * 256 + 8, 4 * 256 + 9)
    bench.add(ONE)
    bench.add(TWO)
    bench.whole()
    bench.start()
    bench.whole()
    assert bench.journal.torn >= 2
    bench.chip.worn = [page * 256 + 10 for page in range(8, 11)]
    bench.add(ONE)
    assert bench.journal.bad_blocks == 1, "three places in a row"
    bench.add(ONE)
    bench.start()
    bench.whole()


def test_flash_that_does_not_keep_a_signature():
    bench = Bench()
    bench.append()
    bench.chip.worn = (250,)
    bench.sign()
    bench.start()
    bench.whole()


def test_flash_that_reports_an_error():
    for length, pages in ((ONE, 1), (THREE, 3)):
        for failing in range(pages + 1):
            bench = Bench()
            bench.add(ONE, TWO)
            bench.fail(failing)
            bench.append(length)
            bench.sign()
            assert bench.journal.read(3)[1] == bench.signatures[3]
            assert not bench.journal.bad_blocks
            bench.add(TWO)
            bench.start()
            bench.whole()


run(globals())
