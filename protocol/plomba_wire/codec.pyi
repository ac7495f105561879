"""Types of codec.py. Generated from schema.py: python3 tools gen."""
# fmt: off

from typing import Self

from plomba_wire.layout import Layout
from plomba_wire.layout import Malformed as Malformed

class FrameHead(Layout):
    type: int
    flags: int
    session: int
    tag: int
    def __init__(self, type: int, flags: int, session: int, tag: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Hello(Layout):
    nonce: bytes
    session: int
    proto_min: int
    proto_max: int
    max_body: int
    window: int
    features: int
    growth: bytes
    def __init__(self, nonce: bytes, session: int, proto_min: int, proto_max: int, max_body: int, window: int, features: int, growth: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class HelloOk(Layout):
    nonce: bytes
    proto: int
    enrolment: int
    max_body: int
    max_record: int
    window: int
    features: int
    terminal: bytes
    firmware: int
    boot: int
    device_nonce: bytes
    growth: bytes
    def __init__(self, nonce: bytes, proto: int, enrolment: int, max_body: int, max_record: int, window: int, features: int, terminal: bytes, firmware: int, boot: int, device_nonce: bytes, growth: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Ping(Layout):
    nonce: bytes
    def __init__(self, nonce: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Pong(Layout):
    nonce: bytes
    next_seq: int
    def __init__(self, nonce: bytes, next_seq: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Baud(Layout):
    baud: int
    def __init__(self, baud: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class BaudOk(Layout):
    baud: int
    def __init__(self, baud: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Bye(Layout):
    reason: int
    def __init__(self, reason: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Error(Layout):
    code: int
    about: int
    detail: int
    retry_after: int
    def __init__(self, code: int, about: int, detail: int, retry_after: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class EnrolKey(Layout):
    nonce: bytes
    def __init__(self, nonce: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class EnrolKeyOk(Layout):
    public: bytes
    epoch: int
    protection: int
    enrolment: int
    signature: bytes
    def __init__(self, public: bytes, epoch: int, protection: int, enrolment: int, signature: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class EnrolRoot(Layout):
    root: bytes
    certificate: bytes
    def __init__(self, root: bytes, certificate: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class EnrolRootOk(Layout):
    enrolment: int
    def __init__(self, enrolment: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Status(Layout):
    nonce: bytes
    def __init__(self, nonce: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class StatusOk(Layout):
    epoch: int
    first_seq: int
    next_seq: int
    receipted_seq: int
    head: bytes
    rules: int
    manifest: int
    revocations: int
    seals: int
    staff: int
    image: int
    mono_ms: int
    utc: int
    health: bytes
    signature: bytes
    def __init__(self, epoch: int, first_seq: int, next_seq: int, receipted_seq: int, head: bytes, rules: int, manifest: int, revocations: int, seals: int, staff: int, image: int, mono_ms: int, utc: int, health: bytes, signature: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Health(Layout):
    battery: int
    reset: int
    engine: int
    checks: int
    free_pages: int
    torn: int
    bad_blocks: int
    broken: int
    lost_scans: int
    engine_faults: int
    bad_frames: int
    stale_frames: int
    errors: int
    muted: int
    resent: int
    def __init__(self, battery: int, reset: int, engine: int, checks: int, free_pages: int, torn: int, bad_blocks: int, broken: int, lost_scans: int, engine_faults: int, bad_frames: int, stale_frames: int, errors: int, muted: int, resent: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class SyncOpen(Layout):
    epoch: int
    from_seq: int
    previous: bytes
    window: int
    def __init__(self, epoch: int, from_seq: int, previous: bytes, window: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class SyncOpenOk(Layout):
    from_seq: int
    next_seq: int
    def __init__(self, from_seq: int, next_seq: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Data(Layout):
    first_seq: int
    count: int
    records: bytes
    def __init__(self, first_seq: int, count: int, records: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Credit(Layout):
    next_seq: int
    window: int
    flags: int
    again: bytes
    def __init__(self, next_seq: int, window: int, flags: int, again: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class AgainRow(Layout):
    first_seq: int
    count: int
    def __init__(self, first_seq: int, count: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class SyncEnd(Layout):
    next_seq: int
    head: bytes
    def __init__(self, next_seq: int, head: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Announce(Layout):
    next_seq: int
    def __init__(self, next_seq: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Receipt(Layout):
    bundle: bytes
    def __init__(self, bundle: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Held(Layout):
    epoch: int
    from_seq: int
    def __init__(self, epoch: int, from_seq: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class HeldOk(Layout):
    seq: int
    previous: bytes
    def __init__(self, seq: int, previous: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Damaged(Layout):
    from_page: int
    def __init__(self, from_page: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class DamagedOk(Layout):
    page: int
    content: bytes
    def __init__(self, page: int, content: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ReceiptOk(Layout):
    receipted_seq: int
    def __init__(self, receipted_seq: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ObjectOffer(Layout):
    kind: int
    version: int
    size: int
    bundle: int
    sha256: bytes
    def __init__(self, kind: int, version: int, size: int, bundle: int, sha256: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ObjectOfferOk(Layout):
    offset: int
    window: int
    def __init__(self, offset: int, window: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ObjectData(Layout):
    offset: int
    piece: bytes
    def __init__(self, offset: int, piece: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ObjectCredit(Layout):
    offset: int
    window: int
    def __init__(self, offset: int, window: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ObjectCommit(Layout):
    kind: int
    version: int
    def __init__(self, kind: int, version: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ObjectCommitOk(Layout):
    version: int
    seq: int
    def __init__(self, version: int, seq: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class TimeProbe(Layout):
    t1: bytes
    def __init__(self, t1: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class TimeProbeOk(Layout):
    t1: bytes
    mono_rx: int
    mono_tx: int
    utc: int
    device_nonce: bytes
    def __init__(self, t1: bytes, mono_rx: int, mono_tx: int, utc: int, device_nonce: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Diag(Layout):
    offset: int
    def __init__(self, offset: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class DiagOk(Layout):
    offset: int
    end: int
    text: bytes
    def __init__(self, offset: int, end: int, text: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class RecordHead(Layout):
    action: int
    verdict: int
    flags: int
    epoch: int
    seq: int
    terminal: bytes
    boot: int
    tries: int
    symbology: int
    t_utc: int
    t_mono_ms: int
    actor: int
    place: int
    route: int
    rules: int
    code_kind: int
    state_before: int
    state_after: int
    order_ref: int
    def __init__(self, action: int, verdict: int, flags: int, epoch: int, seq: int, terminal: bytes, boot: int, tries: int, symbology: int, t_utc: int, t_mono_ms: int, actor: int, place: int, route: int, rules: int, code_kind: int, state_before: int, state_after: int, order_ref: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Envelope(Layout):
    kind: int
    key_id: bytes
    version: int
    not_before: int
    not_after: int
    length: int
    def __init__(self, kind: int, key_id: bytes, version: int, not_before: int, not_after: int, length: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Certificate(Layout):
    role: int
    protection: int
    epoch: int
    public: bytes
    label: bytes
    def __init__(self, role: int, protection: int, epoch: int, public: bytes, label: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class RevocationList(Layout):
    rows: bytes
    def __init__(self, rows: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class RevokedRow(Layout):
    key: bytes
    since: int
    reason: int
    def __init__(self, key: bytes, since: int, reason: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class StaffList(Layout):
    owner: bytes
    rows: bytes
    def __init__(self, owner: bytes, rows: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class StaffRow(Layout):
    badge: int
    hand: int
    until: int
    salt: bytes
    proof: bytes
    def __init__(self, badge: int, hand: int, until: int, salt: bytes, proof: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class Seal(Layout):
    issuer: bytes
    batch: int
    number: int
    signature: bytes
    def __init__(self, issuer: bytes, batch: int, number: int, signature: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class SealList(Layout):
    issuers: int
    ranges: int
    voids: int
    rows: bytes
    def __init__(self, issuers: int, ranges: int, voids: int, rows: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class SealIssuer(Layout):
    number: int
    length: int
    def __init__(self, number: int, length: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class SealRange(Layout):
    issuer: int
    batch: int
    first: int
    last: int
    def __init__(self, issuer: int, batch: int, first: int, last: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class RootRotation(Layout):
    public: bytes
    signature: bytes
    def __init__(self, public: bytes, signature: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ReceiptBody(Layout):
    terminal: bytes
    epoch: int
    up_to: int
    head: bytes
    utc: int
    log_size: int
    log_root: bytes
    def __init__(self, terminal: bytes, epoch: int, up_to: int, head: bytes, utc: int, log_size: int, log_root: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class TimeBody(Layout):
    terminal: bytes
    device_nonce: bytes
    utc: int
    uncertainty_ms: int
    def __init__(self, terminal: bytes, device_nonce: bytes, utc: int, uncertainty_ms: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class BlockList(Layout):
    size: int
    hashes: bytes
    def __init__(self, size: int, hashes: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ImageHead(Layout):
    board: bytes
    mpy: int
    version: int
    floor: int
    def __init__(self, board: bytes, mpy: int, version: int, floor: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class ManifestHead(Layout):
    terminal: bytes
    epoch: int
    through_seq: int
    place: int
    salt: bytes
    orders: int
    codes: int
    def __init__(self, terminal: bytes, epoch: int, through_seq: int, place: int, salt: bytes, orders: int, codes: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class OrderRow(Layout):
    ref: int
    order_class: int
    state: int
    here: int
    seals: int
    cell: bytes
    def __init__(self, ref: int, order_class: int, state: int, here: int, seals: int, cell: bytes) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

class CodeRow(Layout):
    tag: bytes
    order: int
    kind: int
    flags: int
    def __init__(self, tag: bytes, order: int, kind: int, flags: int) -> None: ...
    @classmethod
    def unpack(cls, data: bytes) -> Self: ...
    @classmethod
    def read(cls, data: bytes, at: int) -> Self: ...

MESSAGES: dict[int, type[Layout]]
SCHEMA: bytes
