"""`plomba org`: the organisation's keys."""

from __future__ import annotations

import time
from pathlib import Path

from plomba.trust.organisation import Organisation


def init(folder: Path) -> int:
    """Make root, dock and desk keys in FOLDER and print the root's fingerprint.

    Example: plomba org init org
    """
    print(Organisation.create(folder, now=int(time.time())).fingerprint)
    return 0
