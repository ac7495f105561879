"""A host at the other end of the engine's wire, on a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from plomba.sim.gm65 import Gm65, SeenCode
from plomba.sim.gm65_registers import Profile

DONE = bytes.fromhex("02 00 00 01 00 33 31")


def crc(data: bytes) -> int:
    """CRC-16/XMODEM bit by bit, so that the engine's table is not checked against itself."""
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
    return value


class Bench:
    """Powers an engine, speaks to it at `baud`, and runs the clock from deadline to deadline."""

    def __init__(
        self,
        profile: str | Profile = "gm65-69",
        eeprom: Mapping[int, int] | None = None,
        *,
        start: float = 0.0,
        settle: float = 5.0,
    ) -> None:
        self.engine = Gm65(profile, eeprom)
        self.baud = 9600
        self.now = start
        self.noise = b""
        self.sent_at: list[float] = []
        self.engine.power_on(start)
        self.run(settle)

    def send(self, data: bytes | str) -> None:
        frame = bytes.fromhex(data) if isinstance(data, str) else data
        self.engine.receive(frame, self.baud, self.now)

    def run(self, seconds: float) -> bytes:
        """Let time pass; the bytes heard at our rate. What came at another rate is added to `noise`."""
        heard = b""
        end = self.now + seconds
        self.sent_at = []
        while True:
            data, baud = self.engine.transmit(self.now)
            if data and baud == self.baud:
                heard += data
                self.sent_at += [self.now] * len(data)
            elif data:
                self.noise += data
            else:
                deadline = self.engine.next_deadline()
                if deadline is None or deadline > end:
                    self.now = end
                    self.engine.transmit(end)
                    return heard
                assert deadline > self.now, "a deadline that has passed and gave nothing"
                self.now = deadline

    def ask(self, data: bytes | str, seconds: float = 0.5) -> bytes:
        self.send(data)
        return self.run(seconds)

    def frame(self, kind: int, address: int, data: bytes) -> bytes:
        body = bytes((kind, len(data))) + address.to_bytes(2) + data
        return b"\x7e\x00" + body + crc(body).to_bytes(2)

    def write(self, address: int, *values: int) -> bytes:
        return self.ask(self.frame(0x08, address, bytes(values)))

    def read(self, address: int, length: int = 1) -> bytes:
        """The registers' values; fails unless the answer is one well-formed frame of that length."""
        answer = self.ask(self.frame(0x07, address, bytes((length & 0xFF,))), 1.0)
        head, body, check = answer[:2], answer[2:-2], answer[-2:]
        assert head == b"\x02\x00"
        assert body[:2] == bytes((0, length & 0xFF))
        assert len(body) == 2 + length
        assert check == crc(body).to_bytes(2)
        return body[2:]

    def see(self, *codes: SeenCode | bytes) -> None:
        """Codes come before the window; bytes are a QR code."""
        self.engine.see(self.codes(codes), self.now)

    @staticmethod
    def codes(codes: Sequence[SeenCode | bytes]) -> list[SeenCode]:
        return [SeenCode("QRCode", code) if isinstance(code, bytes) else code for code in codes]

    def power_cycle(self, settle: float = 5.0) -> bytes:
        self.engine.power_on(self.now)
        return self.run(settle)


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    return Bench


@pytest.fixture(scope="session")
def done() -> bytes:
    return DONE
