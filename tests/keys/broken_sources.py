"""Entropy sources, on both interpreters: one that is sound, and one for each way of being broken."""

import hashlib

from terminal.keys.entropy import Source


class Sound(Source):
    """SHA-256 over a counter: seeded, and like any seeded generator it passes."""

    def __init__(self):
        self.at = 0

    def octet(self, at):
        return hashlib.sha256(b"sound" + (at // 32).to_bytes(4, "big")).digest()[at % 32]

    def read(self, n):
        self.at += n
        return bytes(self.octet(at) for at in range(self.at - n, self.at))


class AllZero(Sound):
    def octet(self, at):
        return 0


class AllOnes(Sound):
    def octet(self, at):
        return 255


class Stuck(Sound):
    """A wedged 32-bit register."""

    def octet(self, at):
        return b"\x5a\xc3\x17\xe8"[at % 4]


class BitStuckHigh(Sound):
    def octet(self, at):
        return super().octet(at) | 0x10


class BitStuckLow(Sound):
    def octet(self, at):
        return super().octet(at) & 0xFE


class BitBiased(Sound):
    """The top bit is one three times in four."""

    def octet(self, at):
        return super().octet(at) | (super().octet(at + 100000) & 0x80)


class BitBiasedLow(Sound):
    """The top bit is one a time in four."""

    def octet(self, at):
        return super().octet(at) & (super().octet(at + 100000) | 0x7F)


class OneValueOften(Sound):
    """Every thirtieth byte is the same: too few to bias a bit."""

    def octet(self, at):
        return 0x35 if at % 30 == 0 else super().octet(at)


class Burst(Sound):
    """Six equal bytes in a row, once."""

    def octet(self, at):
        return 0x35 if 700 <= at < 706 else super().octet(at)


class Counter(Sound):
    """Every value equally often and every bit balanced."""

    def octet(self, at):
        return at % 256


class Periodic(Sound):
    """A short period that no power of two divides."""

    def octet(self, at):
        return super().octet(at % 331)


class BlockAgain(Sound):
    """Sixteen bytes that come once more, elsewhere."""

    def octet(self, at):
        return super().octet(at - 500 + 64 if 500 <= at < 516 else at)


class Short(Sound):
    def read(self, n):
        return super().read(n)[1:]


class Silent(Sound):
    def read(self, n):
        raise OSError(5)


class DiesLater(Sound):
    """Sound for the self-test and one draw of 32 bytes, then the last eight bytes for ever."""

    def octet(self, at):
        return super().octet(at if at < 1056 else 1048 + at % 8)


class RepeatsLater(Sound):
    """Sound for the self-test and one draw of 32 bytes, then that draw for ever."""

    def octet(self, at):
        return super().octet(at if at < 1024 else 1024 + at % 32)


class ShortOnce(Sound):
    """Sound for the self-test, then one read of too few bytes, then sound again."""

    def read(self, n):
        data = super().read(n)
        return data[:5] if 1024 < self.at <= 1024 + n else data


class OutOfRange(Sound):
    """Sound for the self-test, then nothing but numbers above the order of P-256, all different."""

    def read(self, n):
        data = super().read(n)
        return data if self.at <= 1024 else b"\xff\xff\xff\xff" + data[4:]


class HighTwice(Sound):
    """Sound for the self-test, then two numbers of 32 bytes above the order of P-256, then sound again."""

    def read(self, n):
        data = super().read(n)
        return data if not 1024 < self.at <= 1088 else b"\xff\xff\xff\xff" + data[4:]


SOURCES = {name: value for name, value in globals().items() if isinstance(value, type) and issubclass(value, Sound)}
