"""Every layout of PLP/1, for CPython and MicroPython. Generated from schema.py: python3 tools gen."""
# fmt: off

from plomba_wire.layout import Layout, Malformed

__all__ = ["Malformed", "FrameHead", "Hello", "HelloOk", "Ping", "Pong", "Baud", "BaudOk", "Bye", "Error", "EnrolKey", "EnrolKeyOk", "EnrolRoot", "EnrolRootOk", "Status", "StatusOk", "Health", "SyncOpen", "SyncOpenOk", "Data", "Credit", "AgainRow", "SyncEnd", "Announce", "Receipt", "Held", "HeldOk", "Damaged", "DamagedOk", "ReceiptOk", "ObjectOffer", "ObjectOfferOk", "ObjectData", "ObjectCredit", "ObjectCommit", "ObjectCommitOk", "TimeProbe", "TimeProbeOk", "Diag", "DiagOk", "RecordHead", "Envelope", "Certificate", "RevocationList", "RevokedRow", "StaffList", "StaffRow", "Seal", "SealList", "SealIssuer", "SealRange", "RootRotation", "ReceiptBody", "TimeBody", "BlockList", "ImageHead", "ManifestHead", "OrderRow", "CodeRow", "MESSAGES", "SCHEMA"]

_ACTION = b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x10\x11\x12\x13\x14\x15\x16\x20\x21\x22\x23\x24\x25\x30\x31\x32\x33\x34\x35\x40\x41\x42\x50\x51\x52\x53\x54\x55\x56\x60\x61\x70\x71\x72\x7e\x7f"
_CODE_KIND = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15"
_ENGINE = b"\x00\x01\x02"
_ENROLMENT = b"\x00\x01\x02"
_ERROR = b"\x01\x02\x03\x04\x05\x06\x07\x08\x10\x11\x12\x13\x14\x15\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a\x30\x31\x32\x3f"
_HAND = b"\x01\x02\x03\x04\x05"
_OBJECT_KIND = b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
_ORDER_CLASS = b"\x00\x01"
_PROTECTION = b"\x01\x02\x03"
_REVOCATION = b"\x01\x02\x03\x04"
_ROLE = b"\x01\x02\x03\x04\x05"
_STATE = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c"
_SYMBOLOGY = b"\x00\x01\x03\x05\x07\x08"
_VERDICT = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a\x2b\x2c\x2d\x2e\x2f\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x3a"


class FrameHead(Layout):
    """Opens every frame; the body follows, then CRC-32 (IEEE, u32) over all of it."""

    SIZE = 6
    FIELDS = ("type", "flags", "session", "tag")
    __slots__ = FIELDS
    FORMAT = ">BBHH"


class Hello(Layout):
    """Opens a session, at any time and in any state. What was in flight is worthless from here on."""

    TYPE = 0x01
    SIZE = 20
    FIELDS = ("nonce", "session", "proto_min", "proto_max", "max_body", "window", "features", "growth")
    __slots__ = FIELDS
    FORMAT = ">8sHBBHHI"
    TAIL = ("", 200)


class HelloOk(Layout):
    """Answers HELLO."""

    TYPE = 0x81
    SIZE = 50
    FIELDS = ("nonce", "proto", "enrolment", "max_body", "max_record", "window", "features", "terminal", "firmware", "boot", "device_nonce", "growth")
    __slots__ = FIELDS
    FORMAT = ">8sBBHHHI8sIH16s"
    CODES = ((2, _ENROLMENT),)
    TAIL = ("", 200)


class Ping(Layout):
    """Is anybody there."""

    TYPE = 0x02
    SIZE = 8
    FIELDS = ("nonce",)
    __slots__ = FIELDS
    FORMAT = ">8s"


class Pong(Layout):
    """Answers PING."""

    TYPE = 0x82
    SIZE = 12
    FIELDS = ("nonce", "next_seq")
    __slots__ = FIELDS
    FORMAT = ">8sI"


class Baud(Layout):
    """Asks for another rate of the line (feature BAUD)."""

    TYPE = 0x06
    SIZE = 4
    FIELDS = ("baud",)
    __slots__ = FIELDS
    FORMAT = ">I"


class BaudOk(Layout):
    """Said at the old rate; the new one holds behind it. Without a good frame within 500 ms the old one holds again."""

    TYPE = 0x86
    SIZE = 4
    FIELDS = ("baud",)
    __slots__ = FIELDS
    FORMAT = ">I"


class Bye(Layout):
    """Ends the session."""

    TYPE = 0x03
    SIZE = 1
    FIELDS = ("reason",)
    __slots__ = FIELDS
    FORMAT = ">B"


class Error(Layout):
    """A request that cannot be served. CRC errors are never answered, only counted."""

    TYPE = 0x7e
    SIZE = 8
    FIELDS = ("code", "about", "detail", "retry_after")
    __slots__ = FIELDS
    FORMAT = ">BBIH"
    CODES = ((0, _ERROR),)


class EnrolKey(Layout):
    """Asks for the terminal's public key and a proof that it holds the private one."""

    TYPE = 0x04
    SIZE = 16
    FIELDS = ("nonce",)
    __slots__ = FIELDS
    FORMAT = ">16s"


class EnrolKeyOk(Layout):
    """Answers with a key that was born on the terminal and never leaves it."""

    TYPE = 0x84
    SIZE = 132
    FIELDS = ("public", "epoch", "protection", "enrolment", "signature")
    __slots__ = FIELDS
    FORMAT = ">64sHBB64s"
    CODES = ((2, _PROTECTION), (3, _ENROLMENT))


class EnrolRoot(Layout):
    """Offers a root and a certificate under it. A blank terminal shows the fingerprint and waits for its OK key."""

    TYPE = 0x05
    SIZE = 66
    FIELDS = ("root", "certificate")
    __slots__ = FIELDS
    FORMAT = ">64s"
    TAIL = (">H", 200)


class EnrolRootOk(Layout):
    """Where the enrolment stands. The dock asks again while it is WAITING."""

    TYPE = 0x85
    SIZE = 1
    FIELDS = ("enrolment",)
    __slots__ = FIELDS
    FORMAT = ">B"
    CODES = ((0, _ENROLMENT),)


class Status(Layout):
    """Asks for the state of the journal and the terminal."""

    TYPE = 0x10
    SIZE = 16
    FIELDS = ("nonce",)
    __slots__ = FIELDS
    FORMAT = ">16s"


class StatusOk(Layout):
    """The head is signed: a tail cut off later can be shown."""

    TYPE = 0x90
    SIZE = 190
    FIELDS = ("epoch", "first_seq", "next_seq", "receipted_seq", "head", "rules", "manifest", "revocations", "seals", "staff", "image", "mono_ms", "utc", "health", "signature")
    __slots__ = FIELDS
    FORMAT = ">HIII32sIIIIIIII48s64s"


class Health(Layout):
    """How the terminal is: in StatusOk, and signed in the records of a start, a clock set and a shift closed."""

    SIZE = 48
    FIELDS = ("battery", "reset", "engine", "checks", "free_pages", "torn", "bad_blocks", "broken", "lost_scans", "engine_faults", "bad_frames", "stale_frames", "errors", "muted", "resent")
    __slots__ = FIELDS
    FORMAT = ">BBBBIIHHIIIIIIII"
    CONSTANTS = ((3, 0),)
    CODES = ((2, _ENGINE),)


class SyncOpen(Layout):
    """Asks for all records from a number on. The dock's number is what it has durably."""

    TYPE = 0x20
    SIZE = 40
    FIELDS = ("epoch", "from_seq", "previous", "window")
    __slots__ = FIELDS
    FORMAT = ">HI32sH"


class SyncOpenOk(Layout):
    """Records follow as DATA."""

    TYPE = 0xa0
    SIZE = 8
    FIELDS = ("from_seq", "next_seq")
    __slots__ = FIELDS
    FORMAT = ">II"


class Data(Layout):
    """Whole records, one after the other, each with its own length."""

    TYPE = 0x21
    SIZE = 5
    FIELDS = ("first_seq", "count", "records")
    __slots__ = FIELDS
    FORMAT = ">IB"
    TAIL = ("", 4091)


class Credit(Layout):
    """Everything before next_seq is on disk; send on."""

    TYPE = 0x22
    SIZE = 7
    FIELDS = ("next_seq", "window", "flags", "again")
    __slots__ = FIELDS
    FORMAT = ">IHB"
    TAIL = ("", 80)


class AgainRow(Layout):
    """A run of records that did not arrive."""

    SIZE = 5
    FIELDS = ("first_seq", "count")
    __slots__ = FIELDS
    FORMAT = ">IB"


class SyncEnd(Layout):
    """All records were credited."""

    TYPE = 0x23
    SIZE = 36
    FIELDS = ("next_seq", "head")
    __slots__ = FIELDS
    FORMAT = ">I32s"


class Announce(Layout):
    """A record was committed and signed (feature LIVE). Said once; SyncOpen brings it."""

    TYPE = 0x25
    SIZE = 4
    FIELDS = ("next_seq",)
    __slots__ = FIELDS
    FORMAT = ">I"


class Receipt(Layout):
    """Hands over a receipt. Only this lets the terminal free flash."""

    TYPE = 0x24
    SIZE = 0
    FIELDS = ("bundle",)
    __slots__ = FIELDS
    FORMAT = ">"
    TAIL = ("", 700)


class Held(Layout):
    """Asks for the oldest record from a number on that can be read: what flash has lost is to be known, not waited for."""

    TYPE = 0x26
    SIZE = 6
    FIELDS = ("epoch", "from_seq")
    __slots__ = FIELDS
    FORMAT = ">HI"


class HeldOk(Layout):
    """Where records can be had. Its signature, once it is pulled, proves the chain value that stands here."""

    TYPE = 0xa6
    SIZE = 36
    FIELDS = ("seq", "previous")
    __slots__ = FIELDS
    FORMAT = ">I32s"


class Damaged(Layout):
    """Asks for a page of the journal that holds neither a record nor nothing."""

    TYPE = 0x27
    SIZE = 4
    FIELDS = ("from_page",)
    __slots__ = FIELDS
    FORMAT = ">I"


class DamagedOk(Layout):
    """Such a page, as flash has it. It is kept until what lies around it has a receipt."""

    TYPE = 0xa7
    SIZE = 4
    FIELDS = ("page", "content")
    __slots__ = FIELDS
    FORMAT = ">I"
    TAIL = ("", 256)


class ReceiptOk(Layout):
    """The receipt was verified and stored."""

    TYPE = 0xa4
    SIZE = 4
    FIELDS = ("receipted_seq",)
    __slots__ = FIELDS
    FORMAT = ">I"


class ObjectOffer(Layout):
    """Offers an object. What comes down is its bundle and, behind it, the content that the bundle's block list names."""

    TYPE = 0x30
    SIZE = 43
    FIELDS = ("kind", "version", "size", "bundle", "sha256")
    __slots__ = FIELDS
    FORMAT = ">BIIH32s"
    CODES = ((0, _OBJECT_KIND),)


class ObjectOfferOk(Layout):
    """Where to go on; equal to size when the terminal has it all."""

    TYPE = 0xb0
    SIZE = 6
    FIELDS = ("offset", "window")
    __slots__ = FIELDS
    FORMAT = ">IH"


class ObjectData(Layout):
    """A piece of the bundle or of the content; it may lie across the two."""

    TYPE = 0x31
    SIZE = 4
    FIELDS = ("offset", "piece")
    __slots__ = FIELDS
    FORMAT = ">I"
    TAIL = ("", 4092)


class ObjectCredit(Layout):
    """The terminal has everything before the offset."""

    TYPE = 0x32
    SIZE = 6
    FIELDS = ("offset", "window")
    __slots__ = FIELDS
    FORMAT = ">IH"


class ObjectCommit(Layout):
    """Verify and install what was sent."""

    TYPE = 0x33
    SIZE = 5
    FIELDS = ("kind", "version")
    __slots__ = FIELDS
    FORMAT = ">BI"
    CODES = ((0, _OBJECT_KIND),)


class ObjectCommitOk(Layout):
    """It is installed, and a record says so."""

    TYPE = 0xb3
    SIZE = 8
    FIELDS = ("version", "seq")
    __slots__ = FIELDS
    FORMAT = ">II"


class TimeProbe(Layout):
    """Measures trip and clock; changes nothing but the nonce."""

    TYPE = 0x40
    SIZE = 8
    FIELDS = ("t1",)
    __slots__ = FIELDS
    FORMAT = ">8s"


class TimeProbeOk(Layout):
    """The terminal's clock, and the nonce that a time object has to be over."""

    TYPE = 0xc0
    SIZE = 36
    FIELDS = ("t1", "mono_rx", "mono_tx", "utc", "device_nonce")
    __slots__ = FIELDS
    FORMAT = ">8sIII16s"


class Diag(Layout):
    """Asks for the terminal's diary: unsigned text for people, no part of any proof."""

    TYPE = 0x50
    SIZE = 4
    FIELDS = ("offset",)
    __slots__ = FIELDS
    FORMAT = ">I"


class DiagOk(Layout):
    """A piece of the diary."""

    TYPE = 0xd0
    SIZE = 8
    FIELDS = ("offset", "end", "text")
    __slots__ = FIELDS
    FORMAT = ">II"
    TAIL = ("", 1024)


class RecordHead(Layout):
    """Opens a record's body; TLVs follow (type u8, length u16, value), types ascending."""

    SIZE = 54
    FIELDS = ("action", "verdict", "flags", "epoch", "seq", "terminal", "boot", "tries", "symbology", "t_utc", "t_mono_ms", "actor", "place", "route", "rules", "code_kind", "state_before", "state_after", "order_ref")
    __slots__ = FIELDS
    FORMAT = ">BBBBHHI8sHBBIIIIIHBBBBI"
    CONSTANTS = ((0, 1), (1, 1), (20, 0))
    CODES = ((2, _ACTION), (3, _VERDICT), (10, _SYMBOLOGY), (17, _CODE_KIND), (18, _STATE), (19, _STATE))


class Envelope(Layout):
    """Opens every signed object but a record; the body follows, then the signature (64 bytes)."""

    SIZE = 30
    FIELDS = ("kind", "key_id", "version", "not_before", "not_after", "length")
    __slots__ = FIELDS
    FORMAT = ">4sBB8sIIII"
    CONSTANTS = ((0, b'PLB1'), (2, 1))
    CODES = ((1, _OBJECT_KIND),)


class Certificate(Layout):
    """Body of a certificate; its version is the serial number."""

    SIZE = 69
    FIELDS = ("role", "protection", "epoch", "public", "label")
    __slots__ = FIELDS
    FORMAT = ">BBH64s"
    CODES = ((0, _ROLE), (1, _PROTECTION))
    TAIL = (">B", 32)


class RevocationList(Layout):
    """Body of a revocation list. Its version is its number, and it holds every key ever revoked under this root."""

    SIZE = 0
    FIELDS = ("rows",)
    __slots__ = FIELDS
    FORMAT = ">"
    TAIL = ("", 7800)


class RevokedRow(Layout):
    """A key that is not to be believed any more."""

    SIZE = 13
    FIELDS = ("key", "since", "reason")
    __slots__ = FIELDS
    FORMAT = ">8sIB"
    CODES = ((2, _REVOCATION),)


class StaffList(Layout):
    """Body of a staff list. Its version is its number. No name is in it: who has which badge stays on the host."""

    SIZE = 64
    FIELDS = ("owner", "rows")
    __slots__ = FIELDS
    FORMAT = ">64s"
    TAIL = ("", 7590)


class StaffRow(Layout):
    """A badge, and what it may do."""

    SIZE = 33
    FIELDS = ("badge", "hand", "until", "salt", "proof")
    __slots__ = FIELDS
    FORMAT = ">IBI8s16s"
    CODES = ((1, _HAND),)


class Seal(Layout):
    """A seal of ours. On paper it is PLS* and the base45 (RFC 9285) of this."""

    SIZE = 78
    FIELDS = ("issuer", "batch", "number", "signature")
    __slots__ = FIELDS
    FORMAT = ">8sHI64s"


class SealList(Layout):
    """Body of a list of seals. What it does not name was not issued."""

    SIZE = 5
    FIELDS = ("issuers", "ranges", "voids", "rows")
    __slots__ = FIELDS
    FORMAT = ">BHH"
    TAIL = ("", 7890)


class SealIssuer(Layout):
    """Opens an issuer; the certificate by the root for its key and the role SEAL_ISSUER follows."""

    SIZE = 2
    FIELDS = ("number", "length")
    __slots__ = FIELDS
    FORMAT = ">BB"


class SealRange(Layout):
    """Numbers of one batch."""

    SIZE = 11
    FIELDS = ("issuer", "batch", "first", "last")
    __slots__ = FIELDS
    FORMAT = ">BHII"


class RootRotation(Layout):
    """Body of a root rotation: the old root signs the object, the new one signs inside it. Its version is its number."""

    SIZE = 128
    FIELDS = ("public", "signature")
    __slots__ = FIELDS
    FORMAT = ">64s64s"


class ReceiptBody(Layout):
    """Everything up to up_to is on this dock's disk, but what the terminal could not read any more."""

    SIZE = 90
    FIELDS = ("terminal", "epoch", "up_to", "head", "utc", "log_size", "log_root")
    __slots__ = FIELDS
    FORMAT = ">8sHI32sIQ32s"


class TimeBody(Layout):
    """The time, for one terminal and one nonce."""

    SIZE = 32
    FIELDS = ("terminal", "device_nonce", "utc", "uncertainty_ms")
    __slots__ = FIELDS
    FORMAT = ">8s16sII"


class BlockList(Layout):
    """Body of a manifest or an image: what the content behind the bundle must be; a block is checked, then kept."""

    SIZE = 4
    FIELDS = ("size", "hashes")
    __slots__ = FIELDS
    FORMAT = ">I"
    TAIL = ("", 7616)


class ImageHead(Layout):
    """Opens an image's content; a ROMFS of .mpy files follows."""

    SIZE = 25
    FIELDS = ("board", "mpy", "version", "floor")
    __slots__ = FIELDS
    FORMAT = ">16sBII"


class ManifestHead(Layout):
    """Opens a manifest's content. Order rows follow, ascending by ref, then code rows, ascending by tag."""

    SIZE = 42
    FIELDS = ("terminal", "epoch", "through_seq", "place", "salt", "orders", "codes")
    __slots__ = FIELDS
    FORMAT = ">8sHII16sII"


class OrderRow(Layout):
    """One order that this terminal may meet."""

    SIZE = 16
    FIELDS = ("ref", "order_class", "state", "here", "seals", "cell")
    __slots__ = FIELDS
    FORMAT = ">IBBBB8s"
    CODES = ((1, _ORDER_CLASS), (2, _STATE))


class CodeRow(Layout):
    """One code that belongs to one order."""

    SIZE = 16
    FIELDS = ("tag", "order", "kind", "flags")
    __slots__ = FIELDS
    FORMAT = ">12sHBB"
    CODES = ((2, _CODE_KIND),)


MESSAGES = {
    0x01: Hello,
    0x81: HelloOk,
    0x02: Ping,
    0x82: Pong,
    0x06: Baud,
    0x86: BaudOk,
    0x03: Bye,
    0x7e: Error,
    0x04: EnrolKey,
    0x84: EnrolKeyOk,
    0x05: EnrolRoot,
    0x85: EnrolRootOk,
    0x10: Status,
    0x90: StatusOk,
    0x20: SyncOpen,
    0xa0: SyncOpenOk,
    0x21: Data,
    0x22: Credit,
    0x23: SyncEnd,
    0x25: Announce,
    0x24: Receipt,
    0x26: Held,
    0xa6: HeldOk,
    0x27: Damaged,
    0xa7: DamagedOk,
    0xa4: ReceiptOk,
    0x30: ObjectOffer,
    0xb0: ObjectOfferOk,
    0x31: ObjectData,
    0x32: ObjectCredit,
    0x33: ObjectCommit,
    0xb3: ObjectCommitOk,
    0x40: TimeProbe,
    0xc0: TimeProbeOk,
    0x50: Diag,
    0xd0: DiagOk,
}
"""Message type -> layout of its body."""
SCHEMA = bytes.fromhex("a232dd2c046e9e2c")
"""First 8 bytes of SHA-256 over the tables above: two programs with the same one read alike."""
