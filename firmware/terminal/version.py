"""Version of this firmware: major << 24 | minor << 16 | patch."""

FIRMWARE = 0x00_01_00_00
