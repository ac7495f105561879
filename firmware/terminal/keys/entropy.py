"""Random bytes, from a source that has passed a self-test since boot or not at all.

The tests are health tests after NIST SP 800-90B section 4: they see a source that is dead, stuck, biased or
repeating. No test of the output sees one that is predictable: a seeded generator passes them all, so what
os.urandom is on a port has to be known, not measured.
"""

import hashlib
import os

from terminal.keys.p256 import N

# SP 800-90B section 4.3 asks a start-up test for 1024 samples. Each limit is the first that 1024 bytes of an
# ideal source reach with a probability of 2**-30 or less.
_SAMPLE = 1024
_RUN_LIMIT = 6  # of one value in a row: 1019 places, 2**-40 each
_COUNT_LIMIT = 25  # of one value in all: binomial(1024, 1/256), any of 256 values
_ONES_LIMIT = 616  # of ones or of zeros at one bit position: binomial(1024, 1/2), any of 16

_BLOCK = 16
_MARK = 8


class EntropyFailure(Exception):
    """The source gave nothing, too few bytes, or bytes that are not random. No key may be made."""


class Source:
    """Where random bytes come from: os.urandom. Another source, such as a secure element, overrides read."""

    def read(self, n: int) -> bytes:
        """n bytes. Raises OSError when there are none to be had."""
        return os.urandom(n)


_SYSTEM = Source()

_passed: Source | None = None
_mark = b""


def self_test(source: Source = _SYSTEM) -> None:
    """Read 1024 bytes of a source, 64 at a time; raise EntropyFailure when they are not random.

    entropy() gives bytes of no other source than the one that passed last: a source that fails stays shut.
    """
    global _passed, _mark
    _passed = None
    _mark = b""
    sample = b"".join([_read(source, 64) for _ in range(_SAMPLE // 64)])
    counts = bytearray(256)
    last, run = -1, 0
    for value in sample:
        counts[value] += 1
        run = run + 1 if value == last else 1
        last = value
        if run >= _RUN_LIMIT:
            raise EntropyFailure("one value repeats")
        if counts[value] >= _COUNT_LIMIT:
            raise EntropyFailure("one value is too frequent")
    for bit in range(8):
        ones = sum([counts[value] for value in range(256) if value >> bit & 1])
        if not _SAMPLE - _ONES_LIMIT < ones < _ONES_LIMIT:
            raise EntropyFailure("a bit is stuck or biased")
    for at in range(0, _SAMPLE, _BLOCK):
        if sample.find(sample[at : at + _BLOCK], at + 1) >= 0:
            raise EntropyFailure("a block repeats")
    _passed = source


def entropy(n: int, source: Source = _SYSTEM) -> bytes:
    """n random bytes, after a self-test if the source has not passed one since boot or since it last failed.

    Raises EntropyFailure when the source fails the test, or has come to a standstill since.
    """
    global _passed, _mark
    if source is not _passed:
        self_test(source)
    block = _read(source, n)
    if n >= _MARK:
        head = block[:_MARK]
        # A hash, because the bytes themselves may be about to become a key.
        mark = hashlib.sha256(head).digest()[:_MARK]
        if mark == _mark or block.find(head, 1) >= 0:
            _passed = None
            raise EntropyFailure("the source stands still")
        _mark = mark
    return block


def new_private_key(source: Source = _SYSTEM) -> int:
    """A P-256 private key, uniform in [1, N - 1], by rejection sampling. Raises EntropyFailure."""
    # One candidate in 2**32 is rejected; eight in a row are the source's doing.
    for _ in range(8):
        d = int.from_bytes(entropy(32, source), "big")
        if 0 < d < N:
            return d
    raise EntropyFailure("no private key in range")


def _read(source: Source, n: int) -> bytes:
    global _passed
    try:
        block = source.read(n)
    except OSError:
        block = b""
    if len(block) != n:
        _passed = None
        raise EntropyFailure("the source gave too few bytes")
    return block
