"""The terminal's verifiers and signers as a line server: calls on stdin, and for each `= ` and its answer on stdout.

A call is a line with a name and its arguments in hexadecimal, `-` for no bytes.
"""

import sys

from terminal.keys import p256
from terminal.objects.signed import fits


class Given:
    """A nonce from outside in the place of RFC 6979's."""

    def __init__(self, k):
        self._left = [k]

    def next(self):
        if not self._left:
            raise ValueError("the given nonce gives no signature")
        return self._left.pop()


def octets(text):
    return b"" if text == "-" else bytes.fromhex(text)


def sign_with(d, digest, k):
    nonces = p256.Nonces
    p256.Nonces = lambda *_: Given(int(k, 16))
    try:
        return p256.sign(int(d, 16), octets(digest)).hex()
    finally:
        p256.Nonces = nonces


CALLS = {
    "verify": lambda q, digest, signature: p256.verify(octets(q), octets(digest), octets(signature)),
    "fits": lambda q, digest, signature: fits(octets(q), octets(digest), octets(signature)),
    "public": lambda d: p256.public_key(int(d, 16)).hex(),
    "sign": lambda d, digest: p256.sign(int(d, 16), octets(digest)).hex(),
    "sign_with": sign_with,
}


def answer(line):
    name, *arguments = line.split()
    try:
        return str(CALLS[name](*arguments))
    except Exception as error:
        # Any exception is an answer: the check has to name the case that raised it.
        return f"raised {type(error).__name__}: {error}"


for call in sys.stdin:
    print("=", answer(call))
