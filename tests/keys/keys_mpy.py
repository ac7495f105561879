"""The keys room as a line server: one call a line on stdin, one answer a line on stdout.

A call is a name and its arguments; all but the counts are in hexadecimal, `-` stands for no bytes. The same
file runs under MicroPython and, imported, under CPython.
"""

import sys

from broken_sources import SOURCES

from terminal.keys import p256
from terminal.keys.entropy import EntropyFailure, entropy, new_private_key, self_test
from terminal.keys.nonce import Nonces, hmac_sha256

_tables = {}


def octets(text):
    return b"" if text == "-" else bytes.fromhex(text)


def prepared(public):
    if public not in _tables:
        _tables.clear()
        _tables[public] = p256.Table(octets(public))
    return _tables[public]


def nonces(order, secret, digest, extra, count):
    sequence = Nonces(int(order, 16), int(secret, 16), octets(digest), octets(extra))
    return ",".join(f"{sequence.next():064x}" for _ in range(int(count)))


def drawn(name, *counts):
    """The counts drawn one after another from a new source of that name."""
    source = SOURCES[name]()
    return ",".join(entropy(int(n), source).hex() for n in counts)


CALLS = {
    "public": lambda d: p256.public_key(int(d, 16)).hex(),
    "sign": lambda d, digest, extra: p256.sign(int(d, 16), octets(digest), octets(extra)).hex(),
    "verify": lambda q, digest, signature: p256.verify(octets(q), octets(digest), octets(signature)),
    "prepared": lambda q, digest, signature: p256.verify(prepared(q), octets(digest), octets(signature)),
    "table": lambda q: p256.Table(octets(q)).entries.hex(),
    "agree": lambda d, q: p256.agree(int(d, 16), octets(q)).hex(),
    "is_point": lambda q: p256.is_point(octets(q)),
    "hmac": lambda key, message: hmac_sha256(octets(key), octets(message)).hex(),
    "nonces": nonces,
    "self_test": lambda name: self_test(SOURCES[name]()),
    "entropy": drawn,
    "new_private_key": lambda name: f"{new_private_key(SOURCES[name]()):064x}",
}


def answer(line):
    """What a call returned, as text, or the name of the error that it raised and what the error says."""
    name, *arguments = line.split()
    try:
        return str(CALLS[name](*arguments))
    except (EntropyFailure, ValueError) as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    for call in sys.stdin:
        print(answer(call))
