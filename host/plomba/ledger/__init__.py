"""What the dock keeps: verified records, the Merkle log over them, receipts, and the outbox to the order system."""

from __future__ import annotations

from plomba.ledger.store import Enrolled, Ledger, Queued

__all__ = ["Enrolled", "Ledger", "Queued"]
