"""Bodies of records for the tests: every length class, and contents that look like an entry or a part of one."""

import binascii
import random
import struct

import nor

LENGTHS = (54, 100, 120, 144, 148, 149, 176, 216, 217, 260, 300, 360, 404, 405, 430, 448)
"""54 is the shortest body; 148 the longest in one page, 404 in two, 448 in three."""
_SECOND_PAGE = 216


def body(seq: int, head: bytes, length: int = 0) -> bytes:
    """A body for record `seq`, which follows a record with the chain value `head`."""
    length = length or LENGTHS[random.getrandbits(16) % len(LENGTHS)]
    content = bytearray(nor.noise(length))
    kind = random.getrandbits(8) % 7
    if kind == 0:
        content[20:] = b"\xff" * (length - 20)
    elif kind == 1:
        content[20:] = bytes(length - 20)
    elif kind in (2, 3):
        # A scanned code can hold a whole entry, at the very place where the second page begins.
        forged = entry(seq if kind == 2 else 0x7FFFFFF0, head)
        content[_SECOND_PAGE : _SECOND_PAGE + len(forged)] = forged[: max(0, length - _SECOND_PAGE)]
    elif kind == 4 and length > _SECOND_PAGE:
        content[_SECOND_PAGE] = 0x5A
    elif kind == 5 and length > _SECOND_PAGE:
        # Or a signature, at the end of the first page.
        signature = nor.noise(64)
        content[_SECOND_PAGE - 68 : _SECOND_PAGE] = signature + struct.pack(">I", binascii.crc32(signature))
    content[8:12] = struct.pack(">I", seq)
    return bytes(content)


def entry(seq: int, previous: bytes) -> bytes:
    """The front of a one-page entry with the shortest body, checksum and all."""
    content = bytes(8) + struct.pack(">I", seq) + b"forged" * 7
    head = struct.pack(">BBH", 0xA5, 1, len(content))
    crc = binascii.crc32(previous + content, binascii.crc32(head))
    return head + struct.pack(">I", crc) + previous + content
