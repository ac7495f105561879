"""What a bench found out, told as it comes, and held against its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Tell = Callable[[str, object], None]

Limits = Mapping[str, tuple[str, float]]
"""Name, with dots for what lies inside a fact, to ("at_least" or "at_most", value)."""


class Facts(dict[str, Any]):
    """Tells of what is put in."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._tell(name, value)

    def find(self, name: str) -> Any:
        """By a name with dots; None when it is not there."""
        found: Any = self
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def judged(self, limits: Limits) -> dict[str, Any]:
        """All of it, with `limits` and `met`; what was not measured has no limit."""
        measured = {name: limit for name, limit in limits.items() if self.find(name) is not None}
        self["limits"] = {name: {kind: value} for name, (kind, value) in measured.items()}
        self["met"] = {name: _met(self.find(name), *limit) for name, limit in measured.items()}
        return dict(self)


def _met(found: float, kind: str, limit: float) -> bool:
    return found >= limit if kind == "at_least" else found <= limit
