"""A model of the secure element ATECC608B on its I²C bus, byte for byte: a transfer and a clock go in, bytes come out.

It is a model: nobody held it against a chip. It has no I/O but the file of its EEPROM and no clock of its own; every
transfer is told the time in seconds.

    chip = Atecc608(folder / "chip.json")
    chip.write(0, b"\\x00", 0.0)                     # the wake pulse: nobody acknowledges it
    chip.read(0x60, 4, 0.002)                       # 04 11 33 43
    chip.write(0x60, b"\\x03" + command(INFO), 0.002)
    chip.read(0x60, 7, 0.010)                       # 07 00 00 60 03 ..

Facts: the data sheets named in atecc608_packets.py, sections "I2C Interface" and "Status/Error Codes"; the answer to
the wake pulse as in cryptoauthlib, hal_check_wake. Where no source says what the chip does, this model chose:

- *Half a command* is acknowledged, and reads are refused until a reset of the address counter.
- *The digest* that Sign took is gone afterwards, as after sleep; GenKey needs its bit in SlotConfig even before the
  data zone is locked. Both are the stricter of what may be.
- *Bytes 52 to 67* of the zone read as from the factory whatever the counters count.
- *A lock byte* is written whole or not at all, whenever the power goes.
- *Lock* with a wrong summary answers 0F.
- *A failed self-test* at wake would answer 04 07 and the CRC of that; cryptoauthlib looks for 04 07 C4 40, whose CRC is
  not one. This model never tests itself at wake.
"""

from __future__ import annotations

from enum import Enum, auto
from math import inf
from pathlib import Path
from typing import Final

from plomba.sim import atecc608_packets as packets
from plomba.sim.atecc608_commands import Commands
from plomba.sim.atecc608_memory import SERIAL, Memory, PowerCut

__all__ = ["ADDRESS", "Atecc608", "BusDead", "Fault", "PowerCut"]

ADDRESS: Final = 0x60
"""Seven bits; C0 in the configuration zone."""
WATCHDOG_S: Final = 1.3
WAKE_S: Final = 0.0015

_RESET, _SLEEP, _IDLE, _COMMAND = range(4)


class Fault(Enum):
    """What a script can make go wrong. In brackets: of what `times` counts."""

    ABSENT = auto()
    """No address is acknowledged [transfers]."""
    DEAD = auto()
    """A line is held: transfers time out, from a command on [transfers]."""
    BAD_CRC = auto()
    """A bit of an answer flips on its way [readings from its start]."""
    ALL_FF = auto()
    """An answer reads as FF [readings from its start]."""
    DEAF = auto()
    """A command arrives with a flipped bit [commands]."""
    HANGS = auto()
    """A command never ends; the watchdog does [commands]."""
    SIGN_FAILS = auto()
    """Sign answers 0F [commands]."""
    SIGNATURE_FLIPS = auto()
    """A signature with a wrong bit and a right CRC [commands]."""
    SELF_TEST = auto()
    """SelfTest finds ECDSA broken [commands]."""
    STUCK = auto()
    """Random gives equal bytes [commands]."""


_OF = {
    Fault.SIGN_FAILS: packets.SIGN,
    Fault.SIGNATURE_FLIPS: packets.SIGN,
    Fault.SELF_TEST: packets.SELFTEST,
    Fault.STUCK: packets.RANDOM,
}


class BusDead(Exception):
    """The transfer did not end: a line is held low."""


class _State(Enum):
    OFF = auto()
    ASLEEP = auto()
    IDLE = auto()
    AWAKE = auto()


class Atecc608:
    """The chip, from the factory or as `path` has it. `hurry` divides how long its commands take.

    Nothing that is written raises, but for scripts: BusDead, atecc608_memory.PowerCut.
    """

    def __init__(self, path: Path | None = None, *, serial: bytes = SERIAL, hurry: float = 1.0) -> None:
        self.memory: Final = Memory(path, serial)
        self.done: list[int] = []
        """The opcodes it executed."""
        self._commands = Commands(self.memory)
        self._hurry = hurry
        self._state = _State.ASLEEP
        self._woken = -inf
        self._ready = -inf
        self._answer = b""
        self._asked = 0
        self._at = 0
        self._partial = False
        self._script: dict[Fault, float] = {}
        self._only: dict[Fault, int] = {}
        self._dead: float = 0

    def script(self, fault: Fault, times: float = 1, opcode: int | None = None) -> None:
        """Makes `fault` happen so often (math.inf for ever), to commands of one opcode only if that is given."""
        self._script[fault] = times
        if opcode is not None or fault in _OF:
            self._only[fault] = _OF.get(fault, 0) if opcode is None else opcode

    def power_off(self) -> None:
        self._state = _State.OFF
        self._commands.forget()

    def power_on(self) -> None:
        self._state = _State.ASLEEP

    def write(self, address: int, data: bytes, now: float) -> bool:
        """A write transfer. False when its address is not acknowledged."""
        self._pass(now)
        if address == 0 and data[:1] == b"\x00":
            self._wake(now)
            return False
        if not self._here(address, now):
            return False
        if data:
            self._obey(data[0], data[1:], now)
        return True

    def read(self, address: int, count: int, now: float) -> bytes | None:
        """A read transfer: bytes from where the last one ended. None when its address is not acknowledged."""
        self._pass(now)
        if not self._here(address, now) or self._partial:
            return None
        answer = self._answer
        if not self._at and self._strikes(Fault.ALL_FF, self._asked):
            answer = b"\xff" * len(answer)
        elif not self._at and self._strikes(Fault.BAD_CRC, self._asked):
            answer = answer[:1] + bytes([answer[1] ^ 0x04]) + answer[2:]
        taken = answer[self._at : self._at + count]
        self._at += count
        return taken + b"\xff" * (count - len(taken))

    def _pass(self, now: float) -> None:
        if self._dead:
            self._dead -= 1
            raise BusDead
        if self._state is _State.AWAKE and now >= self._woken + WATCHDOG_S:
            self._rest(_State.ASLEEP)

    def _here(self, address: int, now: float) -> bool:
        if self._state is not _State.AWAKE or now < self._ready or address != ADDRESS:
            return False
        return not self._strikes(Fault.ABSENT)

    def _wake(self, now: float) -> None:
        if self._state not in (_State.ASLEEP, _State.IDLE) or self._strikes(Fault.ABSENT):
            return
        self._state = _State.AWAKE
        self._woken = now
        self._ready = now + WAKE_S
        self._commands.failed = 0
        self._asked = 0
        self._put(bytes([packets.AWAKE]))

    def _rest(self, state: _State) -> None:
        if state is _State.ASLEEP:
            self._commands.forget()
        self._state = state

    def _put(self, payload: bytes) -> None:
        self._answer = packets.group(payload)
        self._at = 0
        self._partial = False

    def _obey(self, word: int, data: bytes, now: float) -> None:
        if word == _RESET:
            self._at = 0
            self._partial = False
        elif word == _SLEEP:
            self._rest(_State.ASLEEP)
        elif word == _IDLE:
            self._rest(_State.IDLE)
        elif word == _COMMAND:
            self._command(data, now)

    def _command(self, data: bytes, now: float) -> None:
        if len(data) < packets.MIN_COMMAND or data[0] < packets.MIN_COMMAND or len(data) < data[0]:
            self._partial = True
            return
        body = data[: data[0]]
        opcode = self._asked = body[1]
        if self._strikes(Fault.DEAF, opcode):
            body = body[:-3] + bytes([body[-3] ^ 0x20]) + body[-2:]
        if packets.crc16(body[:-2]) != body[-2:]:
            self._put(bytes([packets.CRC_WRONG]))
            return
        self._ready = now + packets.MAX_MS.get(opcode, 0) / 1000 / self._hurry
        if self._strikes(Fault.HANGS, opcode):
            self._ready = inf
        commands = self._commands
        commands.stuck = self._strikes(Fault.STUCK, opcode)
        commands.sign_fails = self._strikes(Fault.SIGN_FAILS, opcode)
        commands.flip = self._strikes(Fault.SIGNATURE_FLIPS, opcode)
        commands.failing = 0x02 if self._strikes(Fault.SELF_TEST, opcode) else 0
        self.done.append(opcode)
        try:
            self._put(commands.run(opcode, body[2], int.from_bytes(body[3:5], "little"), body[5:-2]))
        except PowerCut:
            self.power_off()
            raise
        if self._strikes(Fault.DEAD, opcode):
            self._dead = self._script.pop(Fault.DEAD, 0) + 1

    def _strikes(self, fault: Fault, opcode: int = -1) -> bool:
        """Whether the script has this fault now; it is used up by one."""
        left = self._script.get(fault, 0)
        if left <= 0 or (opcode >= 0 and self._only.get(fault, opcode) != opcode):
            return False
        self._script[fault] = left - 1
        return True
