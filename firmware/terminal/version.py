"""Version of this firmware: major << 24 | minor << 16 | patch. `plomba image build` writes this file anew."""

FIRMWARE = 0x00_01_00_00
RELEASE = False
"""A release build closes its console: no Ctrl-C, no REPL."""
