"""Takes a capture apart: frames, fields, records, objects, what went wrong, and whether the signatures fit."""

from plomba.dissect.dissector import Dissector
from plomba.dissect.entry import Entry, Note, Signature
from plomba.dissect.keys import KeyRing
from plomba.dissect.listen import listen
from plomba.dissect.text import Line, entry_lines, summary_lines

__all__ = ["Dissector", "Entry", "KeyRing", "Line", "Note", "Signature", "entry_lines", "listen", "summary_lines"]
