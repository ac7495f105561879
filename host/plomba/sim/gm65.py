"""A GM65-class scan engine, byte for byte: bytes and a clock go in, bytes and a deadline come out.

No I/O and no clock of its own: every call is told the time in seconds; the caller brings the bytes to a wire.

    engine = Gm65("gm65-69")
    engine.power_on(now)
    engine.receive(bytes.fromhex("7E 00 07 01 00 E2 01 AB CD"), 9600, now)
    engine.see([SeenCode("QRCode", b"PL:7K2M")], now)
    sent, baud = engine.transmit(now)          # and again at engine.next_deadline()

Where no source says how the engine behaves, this model chose:

- *Symbologies.* Writing bits 2-1 of register 2C is an act: 00 switches every symbology off, 01 every one
  on, 1x sets the factory choice. From then on only the single switches count. Inferred from a driver that
  writes 2C = 01, then 3F = 01, and reads QR codes.
- *Setup codes.* The engine acts on printed codes unless register 03 bit 1 is set. How their payload is
  written is not public: `ZONE:aaaa:dd...`, address and data in hexadecimal, is this model's form and not a
  datasheet fact. Assumed too: the registers are stored in EEPROM as well, the worst that a printed code
  could do; and once setup codes are closed, such a code is text like any other.
- *Sleep.* The first burst of bytes wakes the engine and is lost, whatever its rate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from math import inf
from typing import Final

from plomba.sim import gm65_frames as frames
from plomba.sim import gm65_registers as reg
from plomba.sim.gm65_agenda import Act, Agenda
from plomba.sim.gm65_line import Line
from plomba.sim.gm65_memory import Memory
from plomba.sim.gm65_optics import Optics, SeenCode
from plomba.sim.gm65_text import read_fail_text, scan_text

__all__ = ["Gm65", "SeenCode"]

_FACTORY_BAUD: Final = 9600
_BAUD_TOLERANCE: Final = 0.03
_SETUP_CODE: Final = re.compile(rb"ZONE:([0-9A-F]{4}):((?:[0-9A-F]{2})+)")


class _State(Enum):
    OFF = auto()
    BOOTING = auto()
    AWAKE = auto()
    LIGHT_SLEEP = auto()
    DEEP_SLEEP = auto()
    WAKING = auto()


class Gm65:
    """The engine.

    `profile` is a name in `PROFILES`, or a `Profile` of your own. `eeprom` holds registers as a caller kept
    them from `.eeprom`; those it does not name are as from the factory. Raises ValueError for an unknown
    profile, an address that is not stored, or a value that is not a byte. Nothing that is received or seen
    raises.

    Times are seconds; a time before the last one is taken for the last one.
    """

    def __init__(self, profile: str | reg.Profile = "gm65-69", eeprom: Mapping[int, int] | None = None) -> None:
        if isinstance(profile, str):
            if profile not in reg.PROFILES:
                raise ValueError(f"no profile {profile!r}; there are {', '.join(reg.PROFILES)}")
            profile = reg.PROFILES[profile]
        self.profile: Final = profile
        self._agenda = Agenda()
        self._memory = Memory(profile, eeprom or {})
        self._optics = Optics(self._memory, profile.decode_s, self._agenda, self._deliver)
        self._reader = frames.CommandReader()
        self._line = Line()
        self._state = _State.OFF
        self._baud = _FACTORY_BAUD
        self._software_known_at = -inf
        self._idle_since = -inf
        self._doze_at = inf

    @property
    def eeprom(self) -> dict[int, int]:
        """A copy of what survives without power: register address to value."""
        return self._memory.eeprom

    @property
    def baud(self) -> int:
        """The rate at which the engine listens and speaks now."""
        return self._baud

    @property
    def reading(self) -> bool:
        """Whether a read is under way: started, and neither successful nor timed out."""
        return self._optics.is_reading

    def power_on(self, now: float) -> None:
        """Give it power, or take it away for a moment: what was only in RAM is lost."""
        self._agenda.advance(now)
        self._software_known_at = self._agenda.now + self.profile.software_zero_s
        self._boot(self.profile.boot_s)

    def receive(self, data: bytes, baud: int, now: float) -> None:
        """Bytes from the host, whose last stop bit came at `now`. At another rate they are noise."""
        self._agenda.advance(now)
        if not data or self._rouse() or self._state is not _State.AWAKE:
            return
        if abs(baud - self._baud) > _BAUD_TOLERANCE * self._baud:
            self._reader.reset()
            return
        for byte in data:
            command = self._reader.feed(byte, self._agenda.now)
            if command is not None:
                self._obey(command)
            if self._state is not _State.AWAKE:
                break

    def see(self, codes: Sequence[SeenCode], now: float) -> None:
        """What is in front of the window from `now` on, the likeliest first; empty for nothing."""
        self._agenda.advance(now)
        self._optics.see(tuple(codes))

    def press_trigger(self, now: float) -> None:
        """Press the key on pin TRIG: a read starts in manual mode. A sleeping engine wakes, and no more."""
        self._agenda.advance(now)
        if not self._rouse() and self._memory.mode == reg.MANUAL:
            self._optics.start()

    def transmit(self, now: float) -> tuple[bytes, int]:
        """The bytes whose stop bit has been sent by `now`, and the rate they were sent at.

        One call returns bytes of one rate: call until it returns none.
        """
        self._agenda.advance(now)
        return self._line.take(self._agenda.now) or (b"", self._baud)

    def next_deadline(self) -> float | None:
        """When `transmit` may have more to give; None while only the host or a code can change anything."""
        return min((at for at in (self._line.next_at, self._agenda.next_at) if at is not None), default=None)

    def _boot(self, duration: float) -> None:
        self._line.cut(self._agenda.now)
        self._agenda.clear()
        self._reader.reset()
        self._optics.power_off()
        self._memory.load()
        self._doze_at = inf
        self._baud = _FACTORY_BAUD
        self._retune()
        self._state = _State.BOOTING
        self._agenda.after(duration, self._be_awake)

    def _rouse(self) -> bool:
        """Begin to wake, if asleep; whatever roused the engine is lost."""
        if self._state is _State.DEEP_SLEEP:
            self._boot(self.profile.boot_s)
        elif self._state is _State.LIGHT_SLEEP:
            self._state = _State.WAKING
            self._agenda.after(self.profile.wake_s, self._be_awake)
        else:
            return False
        return True

    def _be_awake(self) -> None:
        if self._state in (_State.BOOTING, _State.WAKING):
            self._state = _State.AWAKE
            self._touch()
            self._optics.open()

    def _fall_asleep(self, state: _State) -> None:
        self._optics.close()
        self._reader.reset()
        self._state = state

    def _touch(self) -> None:
        """Something happened: the idle time of automatic sleep counts from here."""
        self._idle_since = self._agenda.now
        self._arm_doze()

    def _arm_doze(self) -> None:
        limit = self._memory.idle_limit_s
        if limit is not None and self._idle_since + limit < self._doze_at:
            self._doze_at = self._idle_since + limit
            self._agenda.at(self._doze_at, self._doze)

    def _doze(self) -> None:
        self._doze_at = inf
        if self._optics.is_reading or self._memory.is_continuous:
            self._idle_since = self._agenda.now
        limit = self._memory.idle_limit_s
        if self._state is not _State.AWAKE or limit is None:
            return
        if self._agenda.now >= self._idle_since + limit:
            self._fall_asleep(_State.LIGHT_SLEEP)
        else:
            self._arm_doze()

    def _retune(self) -> None:
        # Assumed: with a divisor of 0 the engine keeps the rate it has.
        if self._memory.divisor:
            self._baud = reg.nominal_baud(self._memory.divisor)

    def _obey(self, command: frames.Command) -> None:
        self._touch()
        address, data = command.address, command.data
        if command.kind == frames.READ:
            length = data[0] or reg.SIZE
            if address + length <= reg.SIZE:
                self._reply(frames.answer(self._registers(address, length)))
        elif command.kind == frames.WRITE:
            if address + len(data) <= reg.SIZE:
                acts = self._write(address, data)
                if self._state is _State.AWAKE:
                    self._reply(frames.DONE, acts)
        elif command.kind == frames.SAVE:
            if not self.profile.refuses_save:
                self._memory.save()
                self._reply(frames.DONE)
        elif self.profile.heartbeat:
            self._reply(frames.ALIVE)

    def _reply(self, frame: bytes, acts: Sequence[Act] = ()) -> None:
        """Answer after the engine's thinking time; `acts` follow the last stop bit of the answer."""

        def send() -> None:
            sent_at = self._line.push(frame, self._baud, self._agenda.now)
            for act in acts:
                self._agenda.at(sent_at, act)

        self._agenda.after(self.profile.answer_s, send)

    def _registers(self, address: int, length: int) -> bytes:
        registers = bytearray(self._memory.ram)
        if self._agenda.now < self._software_known_at:
            registers[reg.SOFTWARE] = 0
        return bytes(registers[address : address + length])

    def _write(self, address: int, data: bytes) -> list[Act]:
        """Write registers; returns what follows once the write has been acknowledged."""
        memory = self._memory
        mode, divisor = memory.mode, memory.divisor
        acts: list[Act] = []
        for at, value in enumerate(data, address):
            if at != reg.FUNCTION:
                memory.write(at, value)
                continue
            acts += self._call(value)
            if self._state is not _State.AWAKE:
                return []
        if memory.divisor != divisor:
            acts.append(self._retune)
        if address <= reg.SCAN < address + len(data):
            acts += self._order_scan()
        if memory.mode != mode:
            self._optics.change_mode()
        self._arm_doze()
        self._optics.look()
        return acts

    def _call(self, function: int) -> list[Act]:
        """The function port D9. A function that is not known does nothing (assumed)."""
        if function in (reg.RESTORE_USER, reg.RESTORE_FACTORY):
            # Fire and forget: a driver that waited for an answer here waited for ever.
            self._memory.restore()
            self._boot(self.profile.restore_s)
        elif function == reg.LIGHT_SLEEP:
            return [lambda: self._fall_asleep(_State.LIGHT_SLEEP)]
        elif function == reg.DEEP_SLEEP:
            return [lambda: self._fall_asleep(_State.DEEP_SLEEP)]
        elif function == reg.BAUD_RESCUE:
            self._memory.reset_baud()
        return []

    def _order_scan(self) -> list[Act]:
        if self._memory.mode == reg.COMMAND:
            if self._memory.scan_ordered:
                return [self._optics.start]
            self._optics.stop()
        self._memory.scan_ordered = False
        return []

    def _deliver(self, code: SeenCode | None) -> float:
        self._touch()
        if code is None:
            return self._speak(read_fail_text(self._memory.ram))
        setup = _SETUP_CODE.fullmatch(code.data) if self._memory.obeys_setup_codes else None
        over_at = self._agenda.now
        if setup is None or self._memory.shows_setup_codes:
            symbology = reg.SYMBOLOGIES[code.symbology]
            recode = self.profile.alters_high_bytes
            over_at = self._speak(scan_text(self._memory.ram, code.data, symbology, recode=recode))
        if setup is not None:
            self._set_up(int(setup[1], 16), bytes.fromhex(setup[2].decode("ascii")))
        return over_at

    def _speak(self, text: bytes) -> float:
        """Send text; returns when it will have left. A scan meant for a USB port does not touch the UART."""
        if not text or not self._memory.speaks_on_uart:
            return self._agenda.now
        return self._line.push(text, self._baud, self._agenda.now)

    def _set_up(self, address: int, data: bytes) -> None:
        """Do what a setup code says, as a write from the host would, and keep it."""
        if address + len(data) > reg.SIZE:
            return
        before = bytes(self._memory.ram)
        acts = self._write(address, data)
        if self._state is not _State.AWAKE:
            return
        changed = {at for at, value in enumerate(before) if self._memory.ram[at] != value}
        self._memory.save(changed.union(range(address, address + len(data))))
        for act in acts:
            act()
