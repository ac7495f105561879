"""What each command of an ATECC608B does to its memory and its RAM, and what it answers.

Access rules: section "Device Commands" of the data sheets named in atecc608_packets.py; the bits of SlotConfig and
KeyConfig as the READMEs of nerves-hub/nerves_key and mattborja/MB-ATECCX08A-Library take them apart. An answer is a
payload: status byte or data, without count and CRC.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from plomba.sim import atecc608_packets as packets
from plomba.sim.atecc608_memory import COUNTER_LIMIT, LOCK_CONFIG, LOCK_DATA, REVISION, Memory

_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PREHASHED: Final = ec.ECDSA(Prehashed(SHA256()))
_SLOTS: Final = 16

_EXTERNAL_SIGN: Final = 1 << 0
_IS_SECRET: Final = 1 << 7
_GENKEY_ALLOWED: Final = 1 << 13
_PRIVATE: Final = 1 << 0
_PUBLIC_INFO: Final = 1 << 1
_KEY_TYPE: Final = 7 << 2
_P256: Final = 4 << 2
_LOCKABLE: Final = 1 << 5

_BLOCK: Final = 0x80
_CONFIG_ZONE: Final = 0
_LOCK_ANYHOW: Final = 0x80
_CREATE: Final = 0x04
_DIGEST_BUFFER_NONCE: Final = 0x43
_TEMPKEY_NONCE: Final = 0x03
_EXTERNAL: Final = 0x80
_FROM_DIGEST_BUFFER: Final = 0x20
_VERIFY_EXTERNAL: Final = 0x02
_TESTS: Final = 0x3B
BEFORE_LOCK: Final = bytes.fromhex("FFFF0000") * 8
"""What the random generator gives before the configuration is locked (DS20005927A, 3.3.2)."""


class Refused(Exception):
    """The status byte that is answered instead of a result."""

    def __init__(self, status: int) -> None:
        self.status = status


class Commands:
    """RAM and the commands. `stuck`, `sign_fails`, `flip` and `failing` are what a fault script may set."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.stuck = self.sign_fails = self.flip = False
        self.failing = 0
        self.failed = 0
        self.forget()

    def forget(self) -> None:
        """RAM is lost: asleep, or without power."""
        self._tempkey: bytes | None = None
        self._digest: bytes | None = None

    def run(self, opcode: int, param1: int, param2: int, data: bytes) -> bytes:
        """The payload of the answer. Raises atecc608_memory.PowerCut when a script says so."""
        handler = _HANDLERS.get(opcode)
        try:
            if handler is None:
                raise Refused(packets.PARSE)
            if self.failed and opcode != packets.SELFTEST and (opcode, param1 & 3) != (packets.READ, _CONFIG_ZONE):
                raise Refused(packets.SELF_TEST_FAILED)
            return handler(self, param1, param2, data)
        except Refused as refused:
            return bytes([refused.status])

    def _info(self, mode: int, slot: int, data: bytes) -> bytes:
        _allow(mode in (0, 1) and slot < _SLOTS and not data, packets.PARSE)
        return REVISION if mode == 0 else bytes([slot in self._memory.keys, 0, 0, 0])

    def _random(self, mode: int, param2: int, data: bytes) -> bytes:
        _allow(mode in (0, 1) and not param2 and not data, packets.PARSE)
        if self.stuck:
            return b"\x5a" * 32
        return os.urandom(32) if self._memory.config_locked else BEFORE_LOCK

    def _read(self, zone: int, address: int, data: bytes) -> bytes:
        at, size = _place(zone, address)
        _allow(not data, packets.PARSE)
        return bytes(self._memory.config[at : at + size])

    def _write(self, zone: int, address: int, data: bytes) -> bytes:
        at, size = _place(zone, address)
        _allow(len(data) == size, packets.PARSE)
        # Serial number and revision never change; the lock bytes and those before them have commands of their own.
        _allow(not self._memory.config_locked and at >= 16 and not at <= 84 < at + size, packets.EXECUTION)
        self._memory.write_config(at, data)
        return bytes([packets.SUCCESS])

    def _lock(self, mode: int, summary: int, data: bytes) -> bytes:
        memory = self._memory
        zone, slot = mode & 3, mode >> 2 & 15
        _allow(zone < 3 and not mode & 0x40 and not data, packets.PARSE)
        if zone == 0:
            _allow(not memory.config_locked, packets.EXECUTION)
            right = summary.to_bytes(2, "little") == packets.crc16(bytes(memory.config))
            _allow(bool(mode & _LOCK_ANYHOW) or right, packets.EXECUTION)
            memory.lock_zone(LOCK_CONFIG)
        elif zone == 1:
            # The summary of the data zone would need its contents: only the form without one is modelled.
            _allow(memory.config_locked and not memory.data_locked and mode & _LOCK_ANYHOW, packets.EXECUTION)
            memory.lock_zone(LOCK_DATA)
        else:
            lockable = memory.key_config(slot) & _LOCKABLE and not memory.slot_locked(slot)
            _allow(memory.config_locked and lockable, packets.EXECUTION)
            memory.lock_slot(slot)
        return bytes([packets.SUCCESS])

    def _genkey(self, mode: int, slot: int, data: bytes) -> bytes:
        memory = self._memory
        _allow(mode in (0, _CREATE) and slot < _SLOTS and not data, packets.PARSE)
        self._need_private(slot)
        if mode == _CREATE:
            may = memory.slot_config(slot) & _GENKEY_ALLOWED and not memory.slot_locked(slot)
            _allow(may, packets.EXECUTION)
            memory.put_key(slot, ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value)
        _allow(memory.key_config(slot) & _PUBLIC_INFO and slot in memory.keys, packets.EXECUTION)
        numbers = self._private(slot).public_key().public_numbers()
        return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    def _nonce(self, mode: int, param2: int, data: bytes) -> bytes:
        _allow(mode in (_TEMPKEY_NONCE, _DIGEST_BUFFER_NONCE) and not param2 and len(data) == 32, packets.PARSE)
        if mode == _DIGEST_BUFFER_NONCE:
            self._digest = data
        else:
            self._tempkey = data
        return bytes([packets.SUCCESS])

    def _sign(self, mode: int, slot: int, data: bytes) -> bytes:
        _allow(mode in (_EXTERNAL, _EXTERNAL | _FROM_DIGEST_BUFFER) and slot < _SLOTS and not data, packets.PARSE)
        _allow(not self.sign_fails, packets.EXECUTION)
        digest = self._take(mode)
        self._need_private(slot)
        _allow(self._memory.slot_config(slot) & _EXTERNAL_SIGN and slot in self._memory.keys, packets.EXECUTION)
        r, s = decode_dss_signature(self._private(slot).sign(digest, _PREHASHED))
        signature = bytearray(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        if self.flip:
            signature[40] ^= 0x10
        return bytes(signature)

    def _verify(self, mode: int, key_type: int, data: bytes) -> bytes:
        right = mode & ~_FROM_DIGEST_BUFFER == _VERIFY_EXTERNAL and key_type == _P256 >> 2 and len(data) == 128
        _allow(right, packets.PARSE)
        digest = self._take(mode)
        r, s, x, y = (int.from_bytes(data[at : at + 32], "big") for at in range(0, 128, 32))
        try:
            public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            public.verify(encode_dss_signature(r, s), digest, _PREHASHED)
        except (ValueError, InvalidSignature):
            raise Refused(packets.MISCOMPARE) from None
        return bytes([packets.SUCCESS])

    def _counter(self, mode: int, counter: int, data: bytes) -> bytes:
        _allow(mode in (0, 1) and counter in (0, 1) and not data, packets.PARSE)
        _allow(self._memory.config_locked, packets.EXECUTION)
        if mode:
            _allow(self._memory.counters[counter] < COUNTER_LIMIT, packets.EXECUTION)
            self._memory.count(counter)
        return self._memory.counters[counter].to_bytes(4, "little")

    def _self_test(self, mode: int, param2: int, data: bytes) -> bytes:
        _allow(not mode & ~_TESTS and not param2 and not data, packets.PARSE)
        self.failed = self.failed & ~mode | self.failing & mode
        return bytes([self.failed])

    def _take(self, mode: int) -> bytes:
        """The digest to work on; it is used up."""
        digest = self._digest if mode & _FROM_DIGEST_BUFFER else self._tempkey
        self.forget()
        if digest is None:
            raise Refused(packets.EXECUTION)
        return digest

    def _need_private(self, slot: int) -> None:
        config = self._memory.key_config(slot)
        private = config & _PRIVATE and config & _KEY_TYPE == _P256
        secret = self._memory.slot_config(slot) & _IS_SECRET
        _allow(self._memory.config_locked and private and secret, packets.EXECUTION)

    def _private(self, slot: int) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self._memory.keys[slot] % _N or 1, ec.SECP256R1())


def _allow(condition: object, status: int) -> None:
    if not condition:
        raise Refused(status)


def _place(zone: int, address: int) -> tuple[int, int]:
    """Offset and size of what Read and Write name in the configuration zone; other zones are not modelled."""
    size = 32 if zone & _BLOCK else 4
    _allow(not zone & ~(_BLOCK | 3) and zone & 3 < 3, packets.PARSE)
    _allow(zone & 3 == _CONFIG_ZONE, packets.EXECUTION)
    _allow(address < 32 and not (size == 32 and address & 7), packets.PARSE)
    return address * 4, size


_HANDLERS: Final[dict[int, Callable[[Commands, int, int, bytes], bytes]]] = {
    packets.INFO: Commands._info,
    packets.RANDOM: Commands._random,
    packets.READ: Commands._read,
    packets.WRITE: Commands._write,
    packets.LOCK: Commands._lock,
    packets.GENKEY: Commands._genkey,
    packets.NONCE: Commands._nonce,
    packets.SIGN: Commands._sign,
    packets.VERIFY: Commands._verify,
    packets.COUNTER: Commands._counter,
    packets.SELFTEST: Commands._self_test,
}
