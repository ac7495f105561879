"""The terminal's list of seals as a line server: one call a line on stdin, one answer a line on stdout.

Small state lies on a LittleFS of its own in RAM, and lives as long as the process: `load` is a start. Under MicroPython
only.
"""

import gc
import hashlib
import sys
import time

import nor

from plomba_wire.terminal_end import Refusal
from terminal import files
from terminal.flash import FileRange, Region
from terminal.objects.revocations import Revocations
from terminal.objects.seals import Seals
from terminal.objects.transfer import Transfer

gc.collect()

_ROOT = 64
_BLOCKS = 16

files.mount(FileRange(nor.Nor(nor.blank(_BLOCKS)), 0, _BLOCKS), Region(nor.Nor(nor.blank(1)), 0, 1))
revocations = Revocations()
seals = Seals(revocations)


def transferred(kind, version, bundle, root):
    transfer = Transfer((kind, version, len(bundle), len(bundle), hashlib.sha256(bundle).digest()), root, 0, None)
    transfer.write(0, bundle)
    return transfer


def install(kind, version, bundle, root):
    """The number in force."""
    seals.install(transferred(kind, version, bundle, root), root)
    return seals.number


def revoke(kind, version, bundle, root):
    revocations.install(transferred(kind, version, bundle, root))
    return revocations.number


def start(roots):
    """Number, and whether the stored list is damaged."""
    global seals, revocations
    revocations = Revocations()
    seals = Seals(revocations)
    revocations.load(roots)
    seals.load(roots)
    return "%d %d" % (seals.number, seals.damaged)


def spoil(name):
    """A stored object with one bit of its middle flipped; without one, cut in the middle."""
    stored = files.load(name.decode())
    half = len(stored) // 2
    files.save(name.decode(), stored[:half] + bytes((stored[half] ^ 1,)) + stored[half + 1 :])
    return 0


def check(code):
    verdict, name = seals.check(code)
    return "%d %s" % (verdict, name.decode())


def flips(code):
    """A verdict for each bit of the text that is flipped: how often which."""
    found = {}
    for bit in range(len(code) * 8):
        flipped = bytearray(code)
        flipped[bit >> 3] ^= 1 << (bit & 7)
        verdict = seals.check(bytes(flipped))[0]
        found[verdict] = found.get(verdict, 0) + 1
    return " ".join(["%d:%d" % (verdict, found[verdict]) for verdict in sorted(found)])


def prepared(_):
    return len(seals._tables)


def held(_):
    gc.collect()
    return gc.mem_alloc()


def timed(code):
    """us of one check."""
    gc.collect()
    began = time.ticks_us()
    seals.check(code)
    return time.ticks_diff(time.ticks_us(), began)


CALLS = {
    "install": install,
    "revoke": revoke,
    "start": start,
    "spoil": spoil,
    "check": check,
    "flips": flips,
    "prepared": prepared,
    "held": held,
    "timed": timed,
}


def value(word):
    return bytes.fromhex(word[1:]) if word[:1] == "x" else int(word)


for line in sys.stdin:
    name, *arguments = line.split()
    try:
        print(CALLS[name](*[value(word) for word in arguments]))
    except Refusal as refusal:
        print("Refusal", refusal.code)
