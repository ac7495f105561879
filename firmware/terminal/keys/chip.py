"""The terminal's key inside a secure element: made there at first start, locked there, never seen by anybody.

First start on a blank chip: write the configuration, lock it with the CRC of the whole zone, make the key in slot 0,
keep the public key in flash, lock the data zone, lock the slot. Each step looks at what the chip says, so a cut between
any two is finished at the next start. Until the data zone is locked the key is nobody's and is made anew: what a cut in
the middle of GenKey leaves is never used. Afterwards nothing that speaks I²C can replace it.
"""

from plomba_wire.vocabulary import Protection
from terminal import files
from terminal.keys import entropy, p256
from terminal.keys.atecc608 import Chip, crc16
from terminal.keys.signer import KEY_IN_CHIP, ChipFailure, KeyMismatch

_SLOT = 0
_LOCK_DATA = 86
_LOCK_CONFIG = 87
_LOCK_SLOT = 88
_608 = 0x60
_COUNTER_LIMIT = 2097151
_TRIES = 2
_PUBLIC = 64
_NOT_YET = b"\x00"  # behind the public key in flash, until the chip has locked it

# Bytes 16 to 127. Slot 0 signs digests from outside, is secret, GenKey allowed until the slot is locked (81 20, 33 00:
# private, public key may be asked for, P-256, lockable); no ECDH, nothing internal. The others hold nothing and can
# never be written (8F 8F, 1C 00). Watchdog 1.3 s, no clock divider, no self-test at wake, address C0. Counters from 0.
_WANTED = (
    b"\xc0\x00\x00\x00\x81\x20"
    + b"\x8f\x8f" * 15
    + b"\xff\xff\xff\xff\x00\x00\x00\x00" * 2
    + bytes(18)
    + b"\x55\x55\xff\xff\x00\x00\x00\x00\x00\x00\x33\x00"
    + b"\x1c\x00" * 15
)
_FIRST = 16
# What Write may not touch and Lock turns, and what counters and slot locks make of it later.
_BY_LOCK = range(84, 88)
_LIVING = (range(52, 68), range(84, 90))


class ChipEntropy(entropy.Source):
    """Random bytes of the chip. `failure` is what the chip failed with, if it did."""

    def __init__(self, chip: Chip) -> None:
        self.failure: "ChipFailure | None" = None
        self._chip = chip

    def read(self, n: int) -> bytes:
        self.failure = None
        try:
            return b"".join([self._chip.random() for _ in range((n + 31) // 32)])[:n]
        except ChipFailure as failure:
            self.failure = failure
            raise


class ChipSigner:
    """Signs in the chip. Raises ChipFailure, signer.KeyMismatch, OSError from flash.

    `chip.repeats`, and `glitches`, the signatures that did not come or did not verify, tell of a chip or a bus that
    somebody or something disturbs.
    """

    protection = Protection.CHIP

    def __init__(self, bus, chip: "Chip | None" = None) -> None:
        self.glitches = 0
        self.chip = chip or Chip(bus)
        self.source = ChipEntropy(self.chip)
        self.public = self._provision()
        # Prepared once: each signature is verified, and that costs less than half then.
        self._table = p256.Table(self.public)
        counted = self.chip.counted()
        self._counter = self.chip.count() if counted < _COUNTER_LIMIT else counted

    def counter(self) -> "int | None":
        """How often this chip was started, this time included; it ends at 2,097,151 and may have jumped."""
        return self._counter

    def sign(self, digest: bytes) -> bytes:
        """A signature over a digest, low s, verified: what a disturbed chip makes never leaves. Raises ChipFailure.

        The nonce is the chip's own, so its random generator has to be alive: a block is drawn first, as software does.
        """
        self._random(lambda: entropy.entropy(32, self.source))
        code = ""
        for _ in range(_TRIES):
            try:
                raw = self.chip.sign(_SLOT, digest)
                s = int.from_bytes(raw[32:], "big")
                signature = raw[:32] + min(s, abs(p256.N - s)).to_bytes(32, "big")
                if p256.verify(self._table, digest, signature):
                    return signature
                code = "signature"
            except ChipFailure as failure:
                if failure.code != "execution":
                    raise
                # A chip that lost its power for a moment has lost the digest too.
                code = failure.code
            self.glitches += 1
        raise ChipFailure(code)

    def agree(self, public: bytes) -> "bytes | None":
        """None: slot 0 is configured, and locked for life, without ECDH."""
        return None

    def _random(self, draw) -> None:
        """What entropy.py finds wrong with the chip's bytes is a failure of the chip."""
        try:
            draw()
        except entropy.EntropyFailure:
            raise self.source.failure or ChipFailure("entropy")

    def _provision(self) -> bytes:
        """The public key; on a blank chip, after all it takes to have one."""
        chip = self.chip
        zone = chip.configuration()
        if zone[:2] != b"\x01\x23" or zone[6] != _608:
            raise ChipFailure("foreign")
        known = files.load(KEY_IN_CHIP) or b""
        if _open(zone, _LOCK_DATA) and len(known) == _PUBLIC:
            raise KeyMismatch("this flash knows a key in a secure element, and the one on the board has none")
        if _open(zone, _LOCK_CONFIG):
            zone = self._configure(zone)
        if not _ours(zone):
            raise ChipFailure("foreign")
        chip.self_test()
        self._random(lambda: entropy.self_test(self.source))
        if _open(zone, _LOCK_DATA):
            # In flash before it is locked, or a cut between the two would leave a key that nobody knows.
            known = chip.create_key(_SLOT) + _NOT_YET
            files.save(KEY_IN_CHIP, known)
            self._lock(chip.lock_data, _LOCK_DATA)
        if _open(zone, _LOCK_SLOT):
            self._lock(lambda: chip.lock_slot(_SLOT), _LOCK_SLOT)
        public = chip.public_key(_SLOT)
        if known[:_PUBLIC] != public:
            raise KeyMismatch("the key in the secure element is not the one that this flash knows")
        if len(known) != _PUBLIC:
            files.save(KEY_IN_CHIP, public)
        return public

    def _configure(self, zone: bytes) -> bytes:
        chip = self.chip
        for at in range(_FIRST, len(zone), 4):
            word = _WANTED[at - _FIRST : at - _FIRST + 4]
            if at not in _BY_LOCK and zone[at : at + 4] != word:
                chip.configure(at, word)
        zone = chip.configuration()
        if not _ours(zone):
            raise ChipFailure("configuration")
        self._lock(lambda: chip.lock_configuration(crc16(zone)), _LOCK_CONFIG)
        return chip.configuration()

    def _lock(self, lock, at: int) -> None:
        """A lock whose answer got lost is refused when asked for again: what counts is what the zone says."""
        try:
            lock()
        except ChipFailure as failure:
            if failure.code != "execution":
                raise
        if _open(self.chip.configuration(), at):
            raise ChipFailure("execution")


def _open(zone: bytes, at: int) -> bool:
    """Whether nothing has been locked yet at one of the lock bytes."""
    return zone[at] in (0x55, 0xFF)


def _ours(zone: bytes) -> bool:
    """Whether the configuration is ours, but for what lives."""
    for at in range(_FIRST, len(zone)):
        if zone[at] != _WANTED[at - _FIRST] and not any([at in living for living in _LIVING]):
            return False
    return True
