"""What is typed sign by sign: a PIN, a code that cannot be read, an owner's answer.

BACK turns the wheel to the next sign, OK takes it; a card with a sign does both at once. Nothing of it is recorded
before it is whole, and a PIN never.
"""

from micropython import const

from plomba_wire.pin_proof import LONGEST, SHORTEST

PIN, CODE, ANSWER = range(3)

_DIGITS = b"0123456789"
_ENTER = const(0x0A)
_DELETE = const(0x08)
# What is typed: its signs in the order of the wheel, how many end it at the least and at the most.
_KINDS = {
    PIN: (_DIGITS + b"\n\x08", SHORTEST, LONGEST),
    CODE: (_DIGITS + b"\n-ABCDEFGHIJKLMNOPQRSTUVWXYZ*./\x08", 1, 64),
    ANSWER: (_DIGITS + b"\x08", 8, 8),
}


class Entry:
    """ENTER ends it, or its last sign where there can be no more. A code is typed twice: `first` is what came first."""

    def __init__(self, purpose: int) -> None:
        self.purpose = purpose
        self.text = b""
        self.first = b""
        self._wheel, self._least, self._most = _KINDS[purpose]
        self._at = 0

    @property
    def sign(self) -> str:
        """What the wheel shows: = ends, < takes one back."""
        sign = self._wheel[self._at]
        return "=" if sign == _ENTER else "<" if sign == _DELETE else chr(sign)

    @property
    def again(self) -> bool:
        """Whether it is being typed for the second time."""
        return bool(self.first)

    def turn(self) -> None:
        self._at = (self._at + 1) % len(self._wheel)

    def take(self) -> bool:
        """Takes the sign that the wheel shows; True when what is typed is whole."""
        sign = self._wheel[self._at]
        self._at = 0
        return self._put(sign)

    def put(self, sign: bytes) -> bool:
        """Takes the sign of a card; True when what is typed is whole. One the wheel does not have changes nothing."""
        return len(sign) == 1 and sign[0] in self._wheel and self._put(sign[0])

    def enter(self) -> bool:
        """Whether what is typed is whole by the person's word."""
        return len(self.text) >= self._least

    def repeat(self) -> None:
        """The first time is over."""
        self.first = self.text
        self.text = b""

    def _put(self, sign: int) -> bool:
        if sign == _ENTER:
            return self.enter()
        if sign == _DELETE:
            self.text = self.text[:-1]
        elif len(self.text) < self._most:
            self.text += bytes((sign,))
        return len(self.text) == self._most
