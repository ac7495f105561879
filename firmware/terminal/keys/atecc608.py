"""The secure element ATECC608B on I²C: one command at a time, each from wake to idle.

A command is `count | opcode | p1 | p2 (low byte first) | data | CRC` behind word address 03, an answer `count |
payload | CRC`; while the chip works it does not acknowledge its address. It falls asleep by itself 1.3 s after it was
woken, and forgets what was loaded into it; idle keeps that and stops the watchdog, so every command begins with a wake
pulse and ends with idle. Facts and where they are from: docs/keys.md.
"""

import time

from terminal.keys.signer import ChipFailure

_ADDRESS = 0x60
_RESET = b"\x00"
_IDLE = b"\x02"
_COMMAND = 0x03

_INFO = 0x30
_RANDOM = 0x1B
_READ = 0x02
_WRITE = 0x12
_LOCK = 0x17
_GENKEY = 0x40
_NONCE = 0x16
_SIGN = 0x41
_COUNTER = 0x24
_SELFTEST = 0x77

_AWAKE = b"\x04\x11\x33\x43"
_SICK = b"\x04\x07"
_TESTS = 0x3B
_SELF_TEST_FAILED = 0x07
_HEALTH_TEST_FAILED = 0x08
_AGAIN = (0x05, 0xEE, 0xFF)  # a fault while it computed, the watchdog about to bite, a CRC that it found wrong

_TRIES = 3
_POLL_MS = 2
_WAKE_MS = 2  # 1.5 ms from the pulse on
_WAKE_LIMIT_MS = 300  # a chip that a reset of the board left at work needs up to 250 ms
_ANSWER_MAX = 67
_PATIENCE = 2  # times what the table says: for the 608B cryptoauthlib has no table, and polls for up to 2.5 s


class Packet:
    """A command, built in place. `view` is what goes over the bus, word address first."""

    def __init__(self) -> None:
        self._bytes = bytearray(8 + 32)
        self._bytes[0] = _COMMAND
        self.view = memoryview(self._bytes)[:8]

    def build(self, opcode: int, p1: int, p2: int, data: bytes) -> None:
        octets = self._bytes
        end = 6 + len(data)
        octets[1] = end + 1
        octets[2] = opcode
        octets[3] = p1
        octets[4] = p2 & 0xFF
        octets[5] = p2 >> 8
        octets[6:end] = data
        crc = crc16(memoryview(octets)[1:end])
        octets[end] = crc & 0xFF
        octets[end + 1] = crc >> 8
        self.view = memoryview(octets)[: end + 2]


class Chip:
    """One chip on `bus`, which is machine.I2C. All calls block, and raise ChipFailure.

    `repeats` counts what had to be done twice: a bus that glitches shows here before it fails.
    """

    def __init__(self, bus, clock=time) -> None:
        self.repeats = 0
        self._bus = bus
        self._clock = clock
        self._packet = Packet()
        self._answer = bytearray(_ANSWER_MAX)

    def revision(self) -> bytes:
        """Four bytes; 00 00 60 03 for a 608B."""
        return self._ask(_INFO, 0, 0, b"", 4, 5)

    def random(self) -> bytes:
        """32 bytes. Before the configuration is locked they are FF FF 00 00, again and again."""
        return self._ask(_RANDOM, 0, 0, b"", 32, 23)

    def configuration(self) -> bytes:
        """The configuration zone, 128 bytes."""
        return b"".join([self._ask(_READ, 0x80, block << 3, b"", 32, 5) for block in range(4)])

    def configure(self, at: int, word: bytes) -> None:
        """Writes four bytes of the configuration zone; `at` is a multiple of four."""
        self._ask(_WRITE, 0, at // 4, word, 1, 45)

    def lock_configuration(self, crc: int) -> None:
        """For ever, and only if the zone's CRC is this one."""
        self._ask(_LOCK, 0x00, crc, b"", 1, 35)

    def lock_data(self) -> None:
        self._ask(_LOCK, 0x81, 0, b"", 1, 35)

    def lock_slot(self, slot: int) -> None:
        self._ask(_LOCK, 0x02 | slot << 2, 0, b"", 1, 35)

    def create_key(self, slot: int) -> bytes:
        """A new private key in a slot; its public key."""
        return self._ask(_GENKEY, 0x04, slot, b"", 64, 115)

    def public_key(self, slot: int) -> bytes:
        return self._ask(_GENKEY, 0x00, slot, b"", 64, 115)

    def sign(self, slot: int, digest: bytes) -> bytes:
        """r || s over 32 bytes, s as the chip gives it: in the upper half as often as in the lower."""
        self._ask(_NONCE, 0x43, 0, digest, 1, 20)
        return self._ask(_SIGN, 0xA0, slot, b"", 64, 115)

    def count(self) -> int:
        """One more in counter 0; it can jump by more when power goes meanwhile, and ends at 2,097,151."""
        return int.from_bytes(self._ask(_COUNTER, 1, 0, b"", 4, 25), "little")

    def counted(self) -> int:
        """Counter 0."""
        return int.from_bytes(self._ask(_COUNTER, 0, 0, b"", 4, 25), "little")

    def self_test(self) -> None:
        """Random generator, ECDSA, ECDH, AES, SHA: 250 ms."""
        if self._ask(_SELFTEST, _TESTS, 0, b"", 1, 250, _TESTS) != b"\x00":
            raise ChipFailure("self-test")

    def _ask(self, opcode: int, p1: int, p2: int, data: bytes, size: int, limit_ms: int, allowed: int = 0) -> bytes:
        """The payload of the answer, `size` bytes. A single byte is a status: 0, or bits that are `allowed`."""
        self._packet.build(opcode, p1, p2, data)
        code = ""
        for attempt in range(_TRIES):
            self.repeats += attempt > 0
            asleep = self._wake()
            if asleep:
                raise ChipFailure(code or asleep)
            try:
                self._bus.writeto(_ADDRESS, self._packet.view)
            except OSError:
                # Half of it may have arrived: idle ends whatever the chip made of that.
                self._idle()
                code = code or "absent"
                continue
            answer, code = self._listen(size, limit_ms * _PATIENCE)
            self._idle()
            if not answer:
                continue
            if len(answer) == size and (size > 1 or not answer[0] & ~allowed):
                return answer
            status = answer[0]
            if status in (_SELF_TEST_FAILED, _HEALTH_TEST_FAILED):
                raise ChipFailure("self-test")
            if status not in _AGAIN:
                raise ChipFailure("execution")
            code = "crc" if status == 0xFF else "execution"
        raise ChipFailure(code)

    def _listen(self, size: int, limit_ms: int) -> "tuple[bytes, str]":
        """A whole payload of `size` bytes or of one, or nothing and why. A garbled answer is read again: it stays."""
        clock, bus = self._clock, self._bus
        view = memoryview(self._answer)[: size + 3]
        began = clock.ticks_ms()
        garbled = 0
        while garbled < _TRIES:
            late = clock.ticks_diff(clock.ticks_ms(), began) > limit_ms
            clock.sleep_ms(_POLL_MS)
            try:
                if garbled:
                    bus.writeto(_ADDRESS, _RESET)
                bus.readfrom_into(_ADDRESS, view)
            except OSError:
                if late:
                    return b"", "crc" if garbled else "busy"
                continue
            count = view[0]
            if count in (4, size + 3) and crc16(view[: count - 2]) == view[count - 2] | view[count - 1] << 8:
                return bytes(view[1 : count - 2]), ""
            garbled += 1
            self.repeats += 1
        return b"", "crc"

    def _wake(self) -> str:
        """SDA low for longer than 60 µs: address 0, which nobody acknowledges, at 100 kHz. Empty, or why it failed."""
        clock, bus = self._clock, self._bus
        view = memoryview(self._answer)[:4]
        began = clock.ticks_ms()
        failure = "absent"
        while True:
            late = clock.ticks_diff(clock.ticks_ms(), began) > _WAKE_LIMIT_MS
            try:
                bus.writeto(0, b"\x00")
            except OSError:
                pass
            clock.sleep_ms(_WAKE_MS)
            try:
                bus.readfrom_into(_ADDRESS, view)
                if view == _AWAKE:
                    return ""
                failure = "self-test" if view[:2] == _SICK else "crc"
            except OSError:
                pass
            if late:
                return failure
            # It was awake already, or the answer is garbled: from idle on the pulse is answered anew.
            self.repeats += 1
            self._idle()

    def _idle(self) -> None:
        try:
            self._bus.writeto(_ADDRESS, _IDLE)
        except OSError:
            pass


def crc16(data: bytes) -> int:
    """Polynomial 8005 from 0, the lowest bit of each byte first; its low byte is sent first."""
    crc = 0
    for byte in data:
        for _ in range(8):
            crc = crc << 1 ^ (0x8005 if (byte ^ crc >> 15) & 1 else 0)
            crc &= 0xFFFF
            byte >>= 1
    return crc
