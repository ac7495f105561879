"""`python -m plomba` is the `plomba` command."""

from __future__ import annotations

from plomba.cli import main

main()
