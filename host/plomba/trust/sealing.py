"""Seals of our own: numbers given by the register, signed by the seal issuer's key, listed for the terminals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plomba.errors import StoreError, UsageError
from plomba.trust import issued, seal_register, staged_files
from plomba.trust.issued import Issued
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import package
from plomba.trust.organisation import DAY, Organisation, Signer
from plomba.trust.seal_register import Batch, Register, Void
from plomba_wire import chain, seal
from plomba_wire.codec import Malformed, Seal, SealIssuer, SealList, SealRange
from plomba_wire.vocabulary import ObjectKind, Role

COUNT_MAX = 10_000
"""Seals of one run."""
ISSUERS_MAX = 8
"""Issuers on one list (SPEC.md, SealList)."""
KEY = "seal-issuer"
"""The issuer's key among the organisation's working keys."""


@dataclass(frozen=True, slots=True)
class Made:
    """A seal: what stands under the QR code, and what stands in it."""

    name: str
    text: str


def make(key: PrivateKey, issuer: int, batch: int, number: int) -> Made:
    """Signs one seal; whether the number may be given is the register's to say."""
    unsigned = Seal(key.id, batch, number, bytes(chain.SIGNATURE)).pack()[: -chain.SIGNATURE]
    payload = unsigned + key.sign(chain.seal_digest(unsigned))
    return Made(seal.name(issuer, batch, number).decode(), seal.text(payload).decode())


def registered(organisation: Organisation, key: bytes, *, now: int) -> Register:
    """The register with a row for a new issuer's key (its id); to be committed together with the key.

    Its number is one that no issuer had, not even one whose register was lost: its certificate is still there. Raises
    StoreError; UsageError `seal_issuers_full`.
    """
    held = Register.load(organisation.folder)
    certified = issued.read_all(organisation.folder, organisation.roots)
    issuers = {each.id for each in certified if each.role == Role.SEAL_ISSUER}
    return held.with_issuer(max(len(issuers), *held.issuers, 0) + 1, key).renumbered(now)


def issue(organisation: Organisation, count: int, *, batch: int | None = None, now: int) -> list[Made]:
    """The next `count` seals of a batch, or the first ones of a new batch.

    Their numbers are given for good before the first one is signed. Raises StoreError `seal_issuer_missing`,
    `seals_full`, `seals_register_lost`, those of `Organisation.writing`; VerificationError for a key that may not sign
    any more; UsageError.
    """
    if not 1 <= count <= COUNT_MAX:
        raise UsageError("seal_count", found=count, limit=COUNT_MAX)
    signer = _issuer(organisation, now)
    with organisation.writing():
        held = Register.load(organisation.folder)
        number = held.number_of(signer.key.id)
        if number is None:
            raise StoreError("seals_register_lost", path=organisation.folder / seal_register.NAME)
        which = (number, batch if batch is not None else held.next_batch(number))
        given, first = held.giving(which, count)
        given = given.renumbered(now)
        body(organisation, given)
        staged_files.commit(organisation.folder, {seal_register.NAME: given.packed()})
    return [make(signer.key, *which, number) for number in range(first, first + count)]


def void(organisation: Organisation, names: Sequence[str], reason: str, *, now: int) -> tuple[int, int]:
    """Puts seals on the void list for ever; `names` are names or `FIRST..LAST`. How many are new on it, how many were.

    Raises UsageError `seal_name_wrong`, `seal_not_given`, `seal_reason`; StoreError.
    """
    if not reason.strip() or len(reason) > seal_register.REASON_MAX or not reason.isprintable():
        raise UsageError("seal_reason", limit=seal_register.REASON_MAX)
    wanted = [_range(name) for name in names]
    with organisation.writing():
        held = Register.load(organisation.folder)
        changed, fresh = held, 0
        for text, which, first, last in wanted:
            if last > held.given.get(which, 0):
                raise UsageError("seal_not_given", name=text)
            before = changed.void_count(which)
            after = changed.voiding(Void(which, first, last, reason, now))
            if after.void_count(which) > before:
                fresh += after.void_count(which) - before
                changed = after
        if fresh:
            changed = changed.renumbered(now)
            body(organisation, changed)
            staged_files.commit(organisation.folder, {seal_register.NAME: changed.packed()})
    return fresh, sum(last - first + 1 for _, _, first, last in wanted) - fresh


def body(organisation: Organisation, register: Register) -> bytes:
    """Body of the list: the same bytes for the same register and certificates.

    An issuer that gave none yet, or whose certificate is not by the root in force, is left out; of one that is revoked
    nothing but its name is said. Raises StoreError `seals_full`.
    """
    revoked = organisation.revoked().rows
    certified = certificates(organisation)
    begun = {number for number, _ in register.given}
    held = {number: key for number, key in register.issuers.items() if number in begun and key in certified}
    listed = sorted(sorted(held, key=lambda number: (held[number] in revoked, -number))[:ISSUERS_MAX])
    if any(held[number] not in revoked for number in held if number not in listed):
        # The terminal takes no more issuers than these.
        raise StoreError("seals_full", path=organisation.folder)
    rows = b"".join(
        SealIssuer(number, len(certified[held[number]])).pack() + certified[held[number]] for number in listed
    )
    good = [number for number in listed if held[number] not in revoked]
    batches = [batch for batch in sorted(register.given) if batch[0] in good]
    ranges = [SealRange(*batch, 1, register.given[batch]).pack() for batch in batches]
    voids = [SealRange(*batch, *each).pack() for batch in batches for each in register.void_ranges(batch)]
    rows += b"".join(ranges + voids)
    try:
        return SealList(len(listed), len(ranges), len(voids), rows).pack()
    except Malformed as error:
        raise StoreError("seals_full", path=organisation.folder) from error


def knows(organisation: Organisation, register: Register, listed: bytes) -> bool:
    """Whether all that a list (its body) gave, and put among the void ones, stands in the register.

    Of an issuer that is revoked since nothing is asked: its seals count for nothing. Raises Malformed,
    VerificationError.
    """
    head, at = SealList.unpack(listed), 0
    revoked = organisation.revoked().rows
    keys = {}
    for _ in range(head.issuers):
        issuer = SealIssuer.read(head.rows, at)
        at += SealIssuer.SIZE + issuer.length
        keys[issuer.number] = Issued.parse(head.rows[at - issuer.length : at], organisation.roots).id
    for place in range(head.ranges + head.voids):
        row = SealRange.read(head.rows, at + place * SealRange.SIZE)
        batch = (row.issuer, row.batch)
        if keys[row.issuer] in revoked:
            continue
        held = [(1, register.given.get(batch, 0))] if place < head.ranges else register.void_ranges(batch)
        if register.issuers.get(row.issuer) != keys[row.issuer]:
            return False
        if not any(first <= row.first and row.last <= last for first, last in held):
            return False
    return True


def sign(organisation: Organisation, register: Register, listed: bytes, *, now: int) -> bytes:
    """The bundle of a list whose body is `listed`, signed by the desk for every terminal."""
    desk = organisation.desk
    return package(
        ObjectKind.SEALS,
        listed,
        desk.key,
        desk.certificate,
        version=register.version,
        not_before=min(now, register.version) - DAY,
    )


def certificates(organisation: Organisation) -> dict[bytes, bytes]:
    """Key id -> the newest certificate that the root in force gave a seal issuer."""
    root = chain.key_id(organisation.trust.root)
    return {
        each.id: each.data
        for each in issued.read_all(organisation.folder, organisation.roots)
        if each.role == Role.SEAL_ISSUER and each.root == root
    }


def _issuer(organisation: Organisation, now: int) -> Signer:
    if KEY not in organisation.working:
        raise StoreError("seal_issuer_missing", path=organisation.folder)
    return organisation.signer(KEY, now=now)


def _range(text: str) -> tuple[str, Batch, int, int]:
    """Raises UsageError."""
    ends = text.split("..")
    try:
        if len(ends) > 2:
            raise Malformed("range")
        first = seal.numbers(ends[0].encode("ascii"))
        last = seal.numbers(ends[-1].encode("ascii"))
        if first[:2] != last[:2] or first[2] > last[2]:
            raise Malformed("range")
    except ValueError as error:
        raise UsageError("seal_name_wrong", name=text) from error
    return text, first[:2], first[2], last[2]
