"""Which numbers of seals were given, and which are void: one file in the organisation's folder, `seals.register`.

It changes before anything is signed: a number that is in it is never given again, whatever became of its seal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from plomba.errors import StoreError, UsageError
from plomba.trust import staged_files
from plomba_wire.seal import BATCH_MAX, ISSUER_MAX, NUMBER_MAX

NAME = "seals.register"
"""File of the register."""
REASON_MAX = 64
"""Characters of the longest reason."""
Batch = tuple[int, int]
"""Issuer number and batch."""


@dataclass(frozen=True, slots=True)
class Void:
    """Numbers of a batch that count for nothing any more; `at` is seconds since 1970."""

    batch: Batch
    first: int
    last: int
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Register:
    """`version` rises with each change, `issuers` is number -> key id, `given` batch -> its last number (from 1 on)."""

    version: int = 0
    issuers: Mapping[int, bytes] = field(default_factory=dict)
    given: Mapping[Batch, int] = field(default_factory=dict)
    voids: tuple[Void, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Register:
        """The register; an empty one where there is none. Raises StoreError `seals_register_damaged`."""
        path = staged_files.located(folder, NAME)
        try:
            return cls._parsed(json.loads(staged_files.content(folder, NAME)))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise StoreError("seals_register_damaged", path=path, reason=error) from error

    @classmethod
    def _parsed(cls, data: Any) -> Register:
        """Raises ValueError, TypeError, KeyError."""
        found = cls(
            data["version"],
            {number: bytes.fromhex(key) for number, key in data["issuers"]},
            {(issuer, batch): last for issuer, batch, last in data["given"]},
            tuple(Void((issuer, batch), *rest) for issuer, batch, *rest in data["void"]),
        )
        numbers = [found.version, *found.issuers, *(number for batch in found.given for number in batch)]
        numbers += [*found.given.values(), *(number for void in found.voids for number in (void.first, void.last))]
        rows = (len(data["issuers"]), len(data["issuers"]), len(data["given"]))
        if rows != (len(found.issuers), len(set(found.issuers.values())), len(found.given)):
            raise ValueError("twice")
        if not all(type(number) is int and number > 0 for number in numbers):
            raise ValueError("not a number")
        if any(len(key) != 8 for key in found.issuers.values()):
            raise ValueError("not a key id")
        if any(issuer not in found.issuers for issuer, _ in found.given):
            raise ValueError("issuer")
        if any(void.last > found.given.get(void.batch, 0) or void.first > void.last for void in found.voids):
            raise ValueError("void")
        return found

    def packed(self) -> bytes:
        """The file's content."""
        content = {
            "version": self.version,
            "issuers": [(number, key.hex()) for number, key in sorted(self.issuers.items())],
            "given": [(*batch, last) for batch, last in sorted(self.given.items())],
            "void": [(*void.batch, void.first, void.last, void.reason, void.at) for void in self.voids],
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()

    def number_of(self, key: bytes) -> int | None:
        """The number of an issuer that gave seals already."""
        return next((number for number, id in self.issuers.items() if id == key), None)

    def with_issuer(self, number: int, key: bytes) -> Register:
        """Raises UsageError `seal_issuers_full`."""
        if number > ISSUER_MAX:
            raise UsageError("seal_issuers_full", limit=ISSUER_MAX)
        return replace(self, issuers={**self.issuers, number: key})

    def giving(self, batch: Batch, count: int) -> tuple[Register, int]:
        """The register with the next `count` numbers of a batch given, and the first of them.

        Raises UsageError `seal_batch_range`, `seal_batch_full`.
        """
        if not 1 <= batch[1] <= BATCH_MAX:
            raise UsageError("seal_batch_range", found=batch[1], limit=BATCH_MAX)
        first = self.given.get(batch, 0) + 1
        if first + count - 1 > NUMBER_MAX:
            raise UsageError("seal_batch_full", batch=batch[1], left=NUMBER_MAX - first + 1)
        return replace(self, given={**self.given, batch: first + count - 1}), first

    def next_batch(self, issuer: int) -> int:
        """A batch that this issuer has not begun."""
        return max((batch for held, batch in self.given if held == issuer), default=0) + 1

    def voiding(self, void: Void) -> Register:
        return replace(self, voids=(*self.voids, void))

    def renumbered(self, now: int) -> Register:
        """Under the next version; a register restored from an old copy gives none again that a terminal may hold."""
        return replace(self, version=max(now, self.version + 1))

    def void_count(self, batch: Batch) -> int:
        """Numbers of the batch that are void."""
        return sum(last - first + 1 for first, last in self.void_ranges(batch))

    def void_ranges(self, batch: Batch) -> list[tuple[int, int]]:
        """First and last numbers, ascending, apart, and not even neighbours."""
        ranges: list[tuple[int, int]] = []
        for first, last in sorted((void.first, void.last) for void in self.voids if void.batch == batch):
            if ranges and first <= ranges[-1][1] + 1:
                ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
            else:
                ranges.append((first, last))
        return ranges
