"""Which orders whoever asks may see: a condition on the table `orders` under the alias `o`, and its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Seen = tuple[str, Mapping[str, Any]]
EVERYTHING: Seen = ("1 = 1", {})
