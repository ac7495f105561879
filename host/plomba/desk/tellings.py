"""What became of an order file, or would become of it, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plomba.desk.importing import Imported, Trial
from plomba.desk.orders import BadCell, ImportRefused


def imported_json(imported: Imported) -> dict[str, Any]:
    """`lacking` and `erased` only where there are any."""
    told = {"imported": imported.taken, "unchanged": imported.unchanged}
    told |= {"lacking": imported.lacking} if imported.lacking else {}
    return told | ({"erased": imported.erased} if imported.erased else {})


def trial_json(trial: Trial, lang: str) -> dict[str, Any]:
    """`imported` counts new orders, `changed` those that would replace what is held; `bad` counts the mistakes, of
    which `rows` lists the first."""
    told = trial.imported
    return {
        "dry_run": True,
        "imported": told.taken - told.changed,
        "changed": told.changed,
        "unchanged": told.unchanged,
        "lacking": told.lacking,
        "erased": told.erased,
        "bad": trial.mistakes.total,
        "rows": mistakes_json(trial.mistakes.listed, lang),
    }


def unreadable_json(refused: ImportRefused, lang: str) -> dict[str, Any]:
    """As `trial_json`, for a file that cannot be read to its end."""
    none = dict.fromkeys(("imported", "changed", "unchanged", "lacking", "erased"), 0)
    return {"dry_run": True, **none, "bad": refused.total, "rows": mistakes_json(refused.bad, lang)}


def mistakes_json(bad: Iterable[BadCell], lang: str) -> list[dict[str, Any]]:
    """Row, column, code, reason and next step of each."""
    return [
        {
            "row": cell.row,
            "column": cell.column,
            "code": cell.error.code,
            "reason": cell.error.what(lang),
            "next": cell.error.next_step(lang),
        }
        for cell in bad
    ]
