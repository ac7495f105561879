"""Small state loses a file: its image and the file's name on the command line. Under MicroPython only."""

import os
import sys

import nor

from terminal import files
from terminal.flash import BLOCK, FileRange, Region

with open(sys.argv[1], "rb") as file:
    chip = nor.Nor(bytearray(file.read()))
files.mount(FileRange(chip, 0, len(chip.image) // BLOCK), Region(nor.Nor(bytearray(BLOCK)), 0, 1))
os.remove("/state/" + sys.argv[2])
with open(sys.argv[1], "wb") as file:
    file.write(chip.image)
