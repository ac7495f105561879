"""What is typed sign by sign: a PIN, a code that cannot be read, an owner's answer.

BACK turns the wheel to the next sign, OK takes it; a card with a sign does both at once. Nothing of it is recorded
before it is whole, and a PIN never.
"""

from micropython import const

PIN, CODE, ANSWER = range(3)

_DIGITS = b"0123456789"
_ENTER = const(0x0A)
_DELETE = const(0x08)
_CODE_WHEEL = _DIGITS + b"\n-ABCDEFGHIJKLMNOPQRSTUVWXYZ*./\x08"
_NUMBER_WHEEL = _DIGITS + b"\x08"
_MOST = const(64)


class Entry:
    """`length` signs end it, 0 = ENTER does. A code is typed twice: `first` is what came first."""

    def __init__(self, purpose: int, length: int = 0) -> None:
        self.purpose = purpose
        self.length = length
        self.text = b""
        self.first = b""
        self._wheel = _NUMBER_WHEEL if length else _CODE_WHEEL
        self._at = 0

    @property
    def sign(self) -> str:
        """What the wheel shows."""
        sign = self._wheel[self._at]
        return "↵" if sign == _ENTER else "←" if sign == _DELETE else chr(sign)

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
        return not self.length and bool(self.text)

    def repeat(self) -> None:
        """The first time is over."""
        self.first = self.text
        self.text = b""

    def _put(self, sign: int) -> bool:
        if sign == _ENTER:
            return self.enter()
        if sign == _DELETE:
            self.text = self.text[:-1]
        elif len(self.text) < _MOST:
            self.text += bytes((sign,))
        return self.length > 0 and len(self.text) == self.length
