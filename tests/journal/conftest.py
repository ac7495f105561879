from __future__ import annotations

from journal_runs import run

__all__ = ["run"]
