"""Where an entry goes, and what is taken for one after a start. Under MicroPython only."""

import binascii
import struct

import nor
from bench import GENESIS, ONE, THREE, TWO, Bench
from bodies import body, entry
from situations import refuses, run

from terminal.journal.ring import JournalFull


def test_a_torn_signature_is_signed_again_wherever_the_record_stands():
    for length in (ONE, TWO, THREE):
        for ahead in range(18):
            bench = Bench()
            bench.add(*[ONE] * ahead)
            bench.append(length)
            for _ in range(5):
                bench.tear_signature()
                assert bench.journal.unsigned == bench.journal.head
                assert bench.journal.next_seq == ahead + 2
            bench.sign()
            bench.whole()
            bench.start()
            bench.whole()
            bench.add(TWO, ONE)
            bench.start()
            bench.whole()


def test_a_record_that_moves_through_a_whole_block():
    for ahead in (16, 32, 48, 64):
        bench = Bench()
        for _ in range(ahead):
            bench.add(ONE)
            bench.receipt(bench.journal.next_seq - 1)
        bench.append()
        for _ in range(18):
            bench.tear_signature()
            assert bench.journal.unsigned == bench.journal.head
            assert bench.journal.next_seq == ahead + 2
        bench.sign()
        bench.add(ONE)
        bench.start()
        bench.whole()


def test_a_moved_record_that_was_not_signed_yet():
    for ahead in range(14, 18):
        bench = Bench()
        bench.add(*[ONE] * ahead)
        bench.append()
        bench.tear_signature()
        for image in bench.images(bench.sign):
            bench.chip.image[:] = image
            bench.start()
            assert bench.journal.unsigned == bench.journal.head
            bench.sign()
            bench.add(ONE)
            bench.start()
            bench.whole()


def test_the_newest_record_ends_its_block():
    bench = Bench()
    bench.add(*[ONE] * 16)
    bench.start()
    assert bench.journal.free_pages == 48
    bench.add(THREE, THREE, THREE, THREE, THREE)
    assert bench.programs(bench.append, ONE) == [(31, 256)]
    bench.sign()
    bench.start()
    bench.whole()
    bench.fill()
    refuses(JournalFull, bench.append)
    bench.start()
    refuses(JournalFull, bench.append)
    assert not bench.journal.idle()
    bench.receipt(16)
    bench.start()
    assert bench.journal.idle() and not bench.journal.idle()
    erases = bench.chip.erases
    assert bench.programs(bench.append) == [(0, 256)]
    assert bench.chip.erases == erases
    bench.sign()
    bench.whole()


def test_a_long_record_does_not_fit_the_end_of_a_block():
    for ahead in (13, 14, 15, 16):
        for length, pages in ((TWO, 2), (THREE, 3)):
            bench = Bench()
            bench.add(*[ONE] * ahead)
            first = ahead if ahead + pages <= 16 else 16
            assert bench.programs(bench.append, length) == [(first + n, 256) for n in range(pages)]
            bench.sign()
            bench.add(ONE)
            bench.start()
            bench.whole()


def test_a_block_that_was_erased_ahead_is_erased_again_after_a_start():
    bench = Bench()
    bench.add(*[ONE] * 16)
    assert bench.journal.idle()
    bench.start()
    erases = bench.chip.erases
    bench.append()
    assert bench.chip.erases == erases + 1


def test_a_start_writes_nothing():
    bench = Bench()
    bench.add(ONE, TWO, THREE)
    bench.append()
    bench.chip.before = lambda *operation: refuses(OSError, None)
    bench.start()
    assert bench.journal.unsigned


def test_old_entries_in_a_half_erased_block():
    for half in (0, 2048):
        bench = Bench()
        bench.fill()
        bench.receipt(40)
        bench.chip.image[half : half + 2048] = b"\xff" * 2048
        bench.start()
        bench.whole()
        assert bench.journal.torn == 0
        assert bench.journal.oldest_seq == (9 if half == 0 else 1)
        assert bench.journal.first_seq == (9 if half == 0 else 17)
        assert bench.fill() == 32
        bench.start()
        bench.whole()


def test_no_page_of_a_record_but_the_first_looks_like_an_entry():
    for length in (217, 300, 404, 405, 448):
        for seq in (17, 0x7FFFFFFF):
            bench = Bench()
            bench.add(*[ONE] * 12)
            content = bytearray(body(13, bench.journal.head, length))
            forged = entry(seq, bench.journal.head)
            content[216 : 216 + len(forged)] = forged[: length - 216]
            bench.append(length, bytes(content))
            bench.sign()
            bench.start()
            bench.whole()
            bench.add(TWO)
            bench.receipt(14)
            # An erase of the block was cut in the middle of the record.
            bench.chip.image[0 : 13 * 256] = b"\xff" * (13 * 256)
            bench.start()
            assert bench.journal.next_seq == 15 and not bench.journal.broken
            bench.whole()


def test_a_page_without_its_beginning_was_never_whole():
    bench = Bench()
    bench.add(ONE)
    bench.append(THREE)
    # The second page was cut, and its end holds what would be a signature there.
    page = memoryview(bench.chip.image)[2 * 256 : 3 * 256]
    page[:128] = b"\xff" * 128
    page[188:252] = nor.noise(64)
    page[252:] = struct.pack(">I", binascii.crc32(page[188:252], 0xFFFFFFFF))
    bench.start()
    assert bench.journal.torn == 2
    assert bench.journal.next_seq == 2 and not bench.journal.broken


def test_bodies_of_one_byte_over_and_over():
    for fill in (0xFF, 0x00, 0xA5, 0x5A):
        bench = Bench()
        for length in (54, 148, 149, 217, 404, 405, 448):
            content = bytearray([fill] * length)
            struct.pack_into(">I", content, 8, bench.journal.next_seq)
            bench.append(length, bytes(content))
            bench.sign()
            bench.start()
            bench.whole()


def test_what_is_not_held():
    bench = Bench()
    assert bench.journal.unsigned is None
    assert bench.journal.digest_before(1) == GENESIS
    for seq in (0, 1, 2):
        refuses(IndexError, bench.journal.read, seq)
    bench.add(ONE)
    refuses(IndexError, bench.journal.read, 0)
    refuses(IndexError, bench.journal.read, 2)
    assert bench.journal.digest_before(1) == GENESIS
    assert bench.journal.digest_before(2) == bench.journal.head


run(globals())
