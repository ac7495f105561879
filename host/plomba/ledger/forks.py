"""Copied terminals: the proof of each fork, and the terminals nothing is taken from until a person lets them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plomba.trust.forks import ForkProof
from plomba.trust.records import VerifiedRecord

if TYPE_CHECKING:
    from plomba.ledger.store import Ledger, Stored


class Forks:
    """Of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def keep(self, held: Stored, found: VerifiedRecord, root: bytes, now: int) -> ForkProof:
        """Keeps both records as proof and puts the key into quarantine: it may be either of two terminals.

        `root` is the public key that vouches for the terminal, `now` seconds since 1970.
        """
        certificate = self._ledger.certificate(held.terminal, held.epoch)
        assert certificate is not None
        proof = ForkProof(
            root,
            certificate,
            (held.previous, held.body, held.signature),
            (found.previous, found.body, found.signature),
        )
        with self._ledger.transaction():
            self._ledger.db.execute(
                "INSERT OR IGNORE INTO fork VALUES (?, ?, ?, ?, ?)",
                (held.terminal, held.epoch, held.seq, now, proof.pack()),
            )
        self.quarantine(held.terminal, now, f"record {held.seq} twice")
        return proof

    def quarantine(self, terminal: bytes, now: int, reason: str) -> None:
        """Nothing is taken from this terminal until `release`. The first reason stays."""
        with self._ledger.transaction():
            self._ledger.db.execute("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?)", (terminal, now, reason))

    def proofs(self) -> list[tuple[str, ForkProof]]:
        """`terminal-epoch-seq` and the proof of each fork, in order."""
        rows = self._ledger.db.execute("SELECT terminal, epoch, seq, proof FROM fork ORDER BY terminal, epoch, seq")
        return [(f"{terminal.hex()}-{epoch}-{seq}", ForkProof.parse(proof)) for terminal, epoch, seq, proof in rows]

    def quarantined(self, terminal: bytes) -> str | None:
        """Why nothing is taken from this terminal; None while it is trusted."""
        row = self._ledger.db.execute("SELECT reason FROM quarantine WHERE terminal = ?", (terminal,)).fetchone()
        return row[0] if row else None

    def release(self, terminal: bytes) -> bool:
        """A person has looked: the terminal is let in again; its proofs stay. False when it was not in quarantine."""
        with self._ledger.transaction():
            done = self._ledger.db.execute("DELETE FROM quarantine WHERE terminal = ?", (terminal,))
        return done.rowcount > 0
