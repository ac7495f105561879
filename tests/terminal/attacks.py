"""The attack table: what is older, outside its dates, put together from parts, or under another root."""

from __future__ import annotations

import time

from authority import HOUR, Authority, behind, rotation
from trust_scene import (
    HELD,
    LIST,
    LISTS,
    MANIFEST,
    NEXT,
    ROOT,
    ROTATION,
    RULES,
    TIME,
    Scene,
    enrolled,
    given,
    pushed,
    rules,
    timed,
    under,
    with_rotation,
)
from workbench import plain

from plomba.trust.objects import split_bundle, split_package
from plomba_wire import chain
from plomba_wire.vocabulary import Error, Role

OTHERS = [plain("B-1"), plain("B-2")]

ROLLBACK = [
    pushed("rules of an older version", Error.ROLLBACK, RULES, HELD - 1, lambda s: s.rules(HELD - 1)),
    pushed("rules of this version", Error.ROLLBACK, RULES, HELD, lambda s: s.rules(HELD)),
    pushed("a manifest of an older version", Error.ROLLBACK, MANIFEST, HELD - 1, lambda s: s.manifest(HELD - 1)),
    pushed("a manifest of this version", Error.ROLLBACK, MANIFEST, HELD, lambda s: s.manifest(HELD)),
    pushed("an older list", Error.ROLLBACK, LISTS, LIST - 1, lambda s: s.authority.revocations(LIST - 1, [])),
    pushed("this list without its keys", Error.ROLLBACK, LISTS, LIST, lambda s: s.authority.revocations(LIST, [])),
    pushed("list 0", Error.ROLLBACK, LISTS, 0, lambda s: s.authority.revocations(0, [])),
    pushed("an older rotation", Error.ROLLBACK, ROOT, 2, lambda s: s.authority.hands_over(NEXT, 2)),
    pushed("this rotation's number", Error.ROLLBACK, ROOT, ROTATION, lambda s: s.authority.hands_over(NEXT, ROTATION)),
    timed(
        "a time that is more than a day back",
        Error.ROLLBACK,
        lambda s, nonce: s.time(nonce, utc=s.now - 2 * 86400),
    ),
]

PAST = {"not_before": 1, "not_after": int(time.time()) - 60}
FUTURE = {"not_before": int(time.time()) + HOUR}
FREEZE = [
    attack
    for when, dates in (("expired", PAST), ("future", FUTURE))
    for attack in (
        pushed(f"{when} rules", Error.EXPIRED, RULES, 9, lambda s, d=dates: s.rules(**d)),
        pushed(f"{when} manifest", Error.EXPIRED, MANIFEST, 9, lambda s, d=dates: s.manifest(9, **d)),
        pushed(f"{when} list", Error.EXPIRED, LISTS, 9, lambda s, d=dates: s.authority.revocations(9, [], **d)),
        pushed(f"{when} rotation", Error.EXPIRED, ROOT, 9, lambda s, d=dates: s.authority.hands_over(NEXT, 9, **d)),
        given(f"{when} receipt", Error.EXPIRED, lambda s, d=dates: s.receipt(**d)),
        pushed(
            f"{when} certificate of a desk",
            Error.EXPIRED,
            RULES,
            9,
            lambda s, d=dates: s.rules(signer=s.authority.signer(Role.DESK, **d)),
        ),
        given(
            f"{when} certificate of a dock",
            Error.EXPIRED,
            lambda s, d=dates: s.receipt(s.authority.signer(Role.DOCK, **d)),
        ),
    )
]


def mixed_content(scene: Scene) -> bytes:
    """The signed list of one manifest before the blocks of another."""
    return split_package(scene.manifest(9))[0] + split_package(scene.manifest(9, orders=OTHERS))[1]


def signed_by_another(scene: Scene) -> bytes:
    """A list that names the root as its signer, and is not its."""
    data = scene.authority.revocations(9, [])
    unsigned = data[2 : -chain.SIGNATURE]
    return behind(b"", unsigned + scene.desk.key.sign(chain.object_digest(unsigned)))


def certified_by_a_desk(scene: Scene) -> bytes:
    """A desk is no root: it certifies nobody."""
    return scene.rules(signer=Authority(scene.desk.key).signer(Role.DESK))


MIX = [
    pushed(
        "a desk's certificate before a dock's object",
        Error.UNKNOWN_KEY,
        RULES,
        9,
        lambda s: s.rules(signer=under(s.dock, s.desk.certificate)),
    ),
    pushed(
        "one desk's certificate before another desk's object",
        Error.UNKNOWN_KEY,
        RULES,
        9,
        lambda s: s.rules(signer=under(s.authority.signer(Role.DESK), s.desk.certificate)),
    ),
    given(
        "a dock's certificate before a desk's receipt",
        Error.UNKNOWN_KEY,
        lambda s: s.receipt(under(s.desk, s.dock.certificate)),
    ),
    pushed("a certificate by a desk", Error.UNKNOWN_KEY, RULES, 9, certified_by_a_desk),
    pushed("rules offered as the time", Error.MALFORMED, TIME, 9, lambda s: s.rules()),
    pushed("rules offered as a list", Error.MALFORMED, LISTS, 9, lambda s: s.rules()),
    pushed("rules offered as a manifest", Error.MALFORMED, MANIFEST, 9, lambda s: s.rules()),
    pushed("a manifest offered as rules", Error.MALFORMED, RULES, 9, lambda s: s.manifest(9)),
    pushed("a list offered as a rotation", Error.MALFORMED, ROOT, 9, lambda s: s.authority.revocations(9, [])),
    pushed("a receipt offered as rules", Error.MALFORMED, RULES, 9, lambda s: s.receipt()),
    given("a time given as a receipt", Error.MALFORMED, lambda s: s.time(bytes(16))),
    pushed("rules offered under another version", Error.ROLLBACK, RULES, 10, lambda s: s.rules(9)),
    pushed("a manifest under another version", Error.ROLLBACK, MANIFEST, 10, lambda s: s.manifest(9)),
    pushed("a list under another number", Error.ROLLBACK, LISTS, 10, lambda s: s.authority.revocations(9, [])),
    pushed("a rotation under another number", Error.ROLLBACK, ROOT, 10, lambda s: s.authority.hands_over(NEXT, 9)),
    given("a receipt of another terminal", Error.WRONG_DEVICE, lambda s: s.receipt(terminal=bytes(8))),
    given("a receipt of another epoch", Error.WRONG_DEVICE, lambda s: s.receipt(epoch=2)),
    given("a receipt of another chain", Error.CHAIN_FORK, lambda s: s.receipt(up_to=s.status.next_seq)),
    given("a receipt for what is not written", Error.BAD_RANGE, lambda s: s.receipt(up_to=s.status.next_seq + 999)),
    pushed(
        "a manifest for another terminal", Error.WRONG_DEVICE, MANIFEST, 9, lambda s: s.manifest(9, terminal=bytes(8))
    ),
    timed("a time for another terminal", Error.WRONG_DEVICE, lambda s, nonce: s.time(nonce, terminal=bytes(8))),
    timed("a time over an old nonce", Error.NONCE_MISMATCH, lambda s, nonce: s.time(bytes(16))),
    pushed("the blocks of another manifest", Error.BAD_HASH, MANIFEST, 9, mixed_content),
    pushed(
        "a list behind a desk's certificate",
        Error.WRONG_ROLE,
        LISTS,
        9,
        lambda s: behind(s.desk.certificate, split_bundle(s.authority.revocations(9, []))[1]),
    ),
    pushed("rules by the root itself", Error.MALFORMED, RULES, 9, lambda s: s.authority.sealed(RULES, rules(9), 9)),
    pushed("a list that the root did not sign", Error.BAD_SIGNATURE, LISTS, 9, signed_by_another),
    pushed(
        "a rotation from another root",
        Error.BAD_SIGNATURE,
        ROOT,
        9,
        with_rotation(lambda s: rotation(s.first.root.public, NEXT, 9)),
    ),
    pushed(
        "a rotation of another number",
        Error.BAD_SIGNATURE,
        ROOT,
        9,
        with_rotation(lambda s: rotation(s.authority.root.public, NEXT, 8)),
    ),
    pushed(
        "a rotation that the new root did not sign",
        Error.BAD_SIGNATURE,
        ROOT,
        9,
        with_rotation(lambda s: NEXT.public + rotation(s.authority.root.public, s.desk.key, 9)[64:]),
    ),
    pushed("a rotation to no point of the curve", Error.BAD_SIGNATURE, ROOT, 9, with_rotation(lambda s: bytes(128))),
    pushed("a rotation that is too short", Error.MALFORMED, ROOT, 9, with_rotation(lambda s: bytes(127))),
]

FOREIGN = [
    pushed("rules", Error.UNKNOWN_KEY, RULES, 9, lambda s: s.rules(signer=s.stranger.signer(Role.DESK))),
    pushed("a manifest", Error.UNKNOWN_KEY, MANIFEST, 9, lambda s: s.manifest(9, signer=s.stranger.signer(Role.DESK))),
    timed("the time", Error.UNKNOWN_KEY, lambda s, nonce: s.time(nonce, signer=s.stranger.signer(Role.DOCK))),
    given("a receipt", Error.UNKNOWN_KEY, lambda s: s.receipt(s.stranger.signer(Role.DOCK))),
    pushed("a list", Error.UNKNOWN_KEY, LISTS, 9, lambda s: s.stranger.revocations(9, [])),
    pushed("a list by a desk", Error.UNKNOWN_KEY, LISTS, 9, lambda s: Authority(s.desk.key).revocations(9, [])),
    pushed("a rotation", Error.UNKNOWN_KEY, ROOT, 9, lambda s: s.stranger.hands_over(NEXT, 9)),
    enrolled(
        "a certificate",
        Error.REFUSED_BY_POLICY,
        lambda s: (s.stranger.root.public, s.stranger.for_terminal(s.public, 1)),
    ),
]
FORMER = [
    pushed("rules", Error.UNKNOWN_KEY, RULES, 9, lambda s: s.rules(signer=s.first_desk)),
    pushed("a manifest", Error.UNKNOWN_KEY, MANIFEST, 9, lambda s: s.manifest(9, signer=s.first_desk)),
    timed("the time", Error.UNKNOWN_KEY, lambda s, nonce: s.time(nonce, signer=s.bench.organisation.dock)),
    given("a receipt", Error.UNKNOWN_KEY, lambda s: s.receipt(s.bench.organisation.dock)),
    pushed("a list", Error.UNKNOWN_KEY, LISTS, 9, lambda s: s.first.revocations(9, [])),
    pushed("a rotation", Error.UNKNOWN_KEY, ROOT, 9, lambda s: s.first.hands_over(NEXT, 9)),
    enrolled(
        "a certificate", Error.REFUSED_BY_POLICY, lambda s: (s.first.root.public, s.first.for_terminal(s.public, 1))
    ),
]
