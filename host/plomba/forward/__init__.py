"""From the outbox to the order system: CloudEvents over HTTP, exactly once in effect."""

from __future__ import annotations

from plomba.forward.desk import Desk, Result
from plomba.forward.outbox import Forwarder

__all__ = ["Desk", "Forwarder", "Result"]
