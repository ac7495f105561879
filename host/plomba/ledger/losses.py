"""What a terminal's flash lost: the numbers that are missing for ever, and the pages as they were found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plomba.ledger.store import Enrolled, Ledger


@dataclass(frozen=True, slots=True)
class Loss:
    """Records `first_seq` to `last_seq`; `previous` is the chain value of the last of them."""

    first_seq: int
    last_seq: int
    previous: bytes


@dataclass(frozen=True, slots=True)
class DamagedPage:
    """A page of a terminal's journal; `found` is when a dock saw it first, s since 1970."""

    terminal: bytes
    epoch: int
    page: int
    content: bytes
    found: int

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.content).hexdigest()[:8]
        return f"{self.terminal.hex()}-{self.epoch}-{self.page:05}-{digest}"


class Losses:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def accept(self, chain: int, loss: Loss, now: int) -> None:
        """The chain goes on behind them. Call it in the transaction that stores the record after them."""
        self._ledger.db.execute(
            "INSERT OR IGNORE INTO loss VALUES (?, ?, ?, ?, ?)",
            (chain, loss.first_seq, loss.last_seq, loss.previous, now),
        )

    def of(self, terminal: Enrolled) -> list[Loss]:
        """Every loss in the terminal's epoch, in order."""
        rows = self._ledger.db.execute(
            "SELECT first_seq, last_seq, l.previous FROM loss l JOIN chain c ON c.id = l.chain"
            " WHERE c.terminal = ? AND c.epoch = ? ORDER BY first_seq",
            (terminal.id, terminal.epoch),
        )
        return [Loss(*row) for row in rows]

    def behind(self, terminal: Enrolled, seq: int) -> Loss | None:
        """The loss that `seq` lies in, if it lies in one."""
        return next((loss for loss in self.of(terminal) if loss.first_seq <= seq <= loss.last_seq), None)

    def all(self) -> list[tuple[bytes, int, int, int, int]]:
        """Terminal, epoch, first and last number, and when it was accepted (s since 1970), of every loss."""
        return self._ledger.db.execute(
            "SELECT c.terminal, c.epoch, first_seq, last_seq, accepted FROM loss l JOIN chain c ON c.id = l.chain"
            " ORDER BY c.terminal, c.epoch, first_seq"
        ).fetchall()

    def keep_page(self, terminal: Enrolled, page: int, content: bytes, now: int) -> bool:
        """Keeps a page. False when it is there already."""
        with self._ledger.transaction():
            done = self._ledger.db.execute(
                "INSERT OR IGNORE INTO damaged_page SELECT id, ?, ?, ? FROM chain WHERE terminal = ? AND epoch = ?",
                (page, content, now, terminal.id, terminal.epoch),
            )
        return done.rowcount > 0

    def pages(self) -> list[DamagedPage]:
        """All of them, terminal by terminal."""
        rows = self._ledger.db.execute(
            "SELECT c.terminal, c.epoch, page, content, found FROM damaged_page p JOIN chain c ON c.id = p.chain"
            " ORDER BY c.terminal, c.epoch, page, found"
        )
        return [DamagedPage(*row) for row in rows]
