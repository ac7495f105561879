from __future__ import annotations

from evidence_archive import archive

__all__ = ["archive"]
