"""One module a board; `current()` picks the one this interpreter runs on."""

import sys


def current():
    """The board's module. Raises RuntimeError for hardware nobody described yet."""
    if sys.platform in ("linux", "darwin"):
        from boards import sim

        return sim
    raise RuntimeError("no board file for " + sys.implementation._machine)
