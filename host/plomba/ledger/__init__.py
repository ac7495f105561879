"""What the dock keeps: verified records, the Merkle log over them, receipts, and the outbox to the order system."""

from __future__ import annotations

from plomba.ledger.forks import Forks
from plomba.ledger.store import Enrolled, Fork, Ledger, Queued, Stored

__all__ = ["Enrolled", "Fork", "Forks", "Ledger", "Queued", "Stored"]
