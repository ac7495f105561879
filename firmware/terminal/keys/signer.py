"""Who signs for this terminal: software with a key in flash, or a secure element. One surface, two makers.

`public` (X || Y), `protection`, `source` (of entropy), `sign(digest)` (64 bytes, valid, low s), `agree(public)` (ECDH:
x, 32 bytes; None where the key cannot), `counter()` (how often the chip was started; None where nothing counts). Which
maker it is stays for life: it is decided by what the board has at first start, and each leaves a file. A board that has
lost its chip, or found one, refuses to start.
"""

from plomba_wire.vocabulary import Protection
from terminal import files
from terminal.keys import entropy, p256

KEY_IN_FLASH = "key"
KEY_IN_CHIP = "chip"
_KEY = 32
_EIO = 5


class KeyDamaged(Exception):
    """The stored key or certificate is not whole. A key is never replaced by itself: its records could not be told
    from a stranger's. Without the certificate nobody knows to which epoch the records in flash belong."""


class KeyMismatch(KeyDamaged):
    """Flash and board do not belong together: one has a key that the other does not know. Put back what was there; a
    terminal that is to be another one begins with an empty flash, and with a blank chip if it has one."""


class ChipFailure(OSError):
    """The secure element does not do what it must; nothing was signed.

    `code` is one of: absent (no answer to the wake pulse), busy (a command did not end in its time), crc (answers stay
    garbled), foreign (another kind of chip, or locked with a configuration that is not ours), configuration (what was
    written reads back otherwise), self-test, entropy (its random bytes are not), signature (it does not verify),
    execution (any other refusal).
    """

    def __init__(self, code: str) -> None:
        super().__init__(_EIO, "secure element: " + code)
        self.code = code


class SoftwareSigner:
    """A key in flash, made at first start. Raises KeyDamaged, entropy.EntropyFailure."""

    protection = Protection.OPEN

    def __init__(self) -> None:
        self.source = entropy.Source()
        entropy.self_test(self.source)
        stored = files.load(KEY_IN_FLASH)
        if stored is None:
            stored = entropy.new_private_key(self.source).to_bytes(_KEY, "big")
            files.save(KEY_IN_FLASH, stored)
        if len(stored) != _KEY:
            raise KeyDamaged
        self._private = int.from_bytes(stored, "big")
        self.public = p256.public_key(self._private)

    def counter(self) -> "int | None":
        """None: flash can be put back to what it was."""
        return None

    def sign(self, digest: bytes) -> bytes:
        """Signature over a digest, its nonce hedged with fresh entropy (RFC 6979 section 3.6)."""
        return p256.sign(self._private, digest, entropy.entropy(32, self.source))

    def agree(self, public: bytes) -> "bytes | None":
        """What this key and `public` (X || Y) share. Raises ValueError when that is not a point."""
        return p256.agree(self._private, public)


def choose(bus):
    """The signer of a board: `bus` is the I²C its secure element hangs on, None where it has none.

    Never falls back to software. Raises KeyDamaged, KeyMismatch, entropy.EntropyFailure, ChipFailure, OSError.
    """
    if bus is None:
        if files.load(KEY_IN_CHIP) is not None:
            raise KeyMismatch("the key of this terminal is in a secure element, and the board has none")
        return SoftwareSigner()
    if files.load(KEY_IN_FLASH) is not None:
        raise KeyMismatch("the key of this terminal is in flash, and the board has a secure element")
    # Imported where there is a chip, and nowhere else.
    from terminal.keys.chip import ChipSigner

    return ChipSigner(bus)
