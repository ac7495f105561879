"""Keeps the heap in one piece while something that stays is made among much that does not.

What stays is laid behind the garbage of its moment, and the place of that is free in crumbs afterwards. A signature's
verification alone leaves a megabyte: with five objects to verify and 1900 records to read, half of the heap was free
and its largest piece 11 KB, so that the next table that grew found no place (seen on the bench).
"""

import gc

from micropython import const

_GARBAGE = const(32768)


class Compact:
    """A context in which garbage is taken away every 32 KB. Not for scans: it makes a signature slower."""

    def __enter__(self) -> None:
        self._before = gc.threshold()
        gc.collect()
        gc.threshold(_GARBAGE)

    def __exit__(self, *_) -> None:
        gc.threshold(self._before)
