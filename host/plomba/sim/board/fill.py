"""Fills the journal of a terminal that is switched off, as fast as MicroPython signs. MicroPython only.

The whole firmware runs but its face, its engine and its link. What it is given stands in the file named in SIM_INPUTS,
one JSON value a line: a code as [symbology, text], or the name of a key. It ends after SIM_RECORDS records.
"""

import preload  # isort: skip

import gc
import json
import os

from faceless import NoFace

import boards
from terminal import files
from terminal.terminal import Terminal

assert preload


board = boards.current()
files.mount(board.file_range(), board.journal_region())
terminal = Terminal(board)
terminal.presenter = NoFace()
wanted = terminal.journal.next_seq + int(os.getenv("SIM_RECORDS"))
with open(os.getenv("SIM_INPUTS")) as inputs:
    for line in inputs:
        if terminal.journal.next_seq >= wanted:
            break
        given = json.loads(line)
        if isinstance(given, str):
            terminal.press(given)
        else:
            terminal.scan(given[1].encode(), given[0], 1)
        gc.collect()
assert terminal.journal.next_seq == wanted and not terminal.health.lost_scans
