"""Evidence packs: one file for one order, that anybody can verify offline against a root they pinned."""

from __future__ import annotations

from plomba.evidence.make import make_pack
from plomba.evidence.verify import Entry, Evidence, verify_pack

__all__ = ["Entry", "Evidence", "make_pack", "verify_pack"]
