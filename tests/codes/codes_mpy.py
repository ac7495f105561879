"""The table of codes as a line server: on stdin a symbology and a code in hexadecimal (`-` for none), one a line.

The same file runs under MicroPython and, imported, under CPython. `time` and codes, as such pairs, is answered with the
microseconds that the identities and the fault of each took.
"""

import sys
import time

from terminal.work import codes


def octets(text):
    return b"" if text == "-" else bytes.fromhex(text)


def known(symbology, code):
    """The fault, then kind and value of each identity."""
    words = [str(codes.fault(octets(code), int(symbology)))]
    for kind, value in codes.identities(octets(code), int(symbology)):
        words.append("%d:%s" % (kind, value.hex()))
    return " ".join(words)


def durations(*words):
    out = []
    for at in range(0, len(words), 2):
        symbology, code = int(words[at]), octets(words[at + 1])
        began = time.ticks_us()
        codes.identities(code, symbology)
        codes.fault(code, symbology)
        out.append(str(time.ticks_diff(time.ticks_us(), began)))
    return " ".join(out)


def answer(line):
    words = line.split()
    return durations(*words[1:]) if words[0] == "time" else known(*words)


if __name__ == "__main__":
    for call in sys.stdin:
        print(answer(call))
