"""The attack table, second half: revoked signers, signers of the wrong role, and objects of a wrong form."""

from __future__ import annotations

import hashlib

from authority import by, high_s, other_algorithm, rotation, rows
from trust_scene import (
    LISTS,
    MANIFEST,
    NEXT,
    ROOT,
    RULES,
    STAFF,
    TIME,
    Attack,
    Scene,
    certified_anew,
    given,
    pushed,
    sealed_anew,
    timed,
    under,
    with_rotation,
)

from plomba_wire.vocabulary import Error, ObjectKind, Role

REVOKED = [
    pushed("rules", Error.KEY_REVOKED, RULES, 9, lambda s: s.rules(signer=s.stolen_desk)),
    pushed("a manifest", Error.KEY_REVOKED, MANIFEST, 9, lambda s: s.manifest(9, signer=s.stolen_desk)),
    pushed("a staff list", Error.KEY_REVOKED, STAFF, 9, lambda s: s.staff(signer=s.stolen_desk)),
    timed("the time by a desk", Error.KEY_REVOKED, lambda s, nonce: s.time(nonce, signer=s.stolen_desk)),
    timed("the time by a dock", Error.KEY_REVOKED, lambda s, nonce: s.time(nonce, signer=s.stolen_dock)),
    given("a receipt", Error.KEY_REVOKED, lambda s: s.receipt(s.stolen_dock)),
    pushed(
        "rules dated before it was revoked",
        Error.KEY_REVOKED,
        RULES,
        9,
        lambda s: s.rules(signer=s.stolen_desk, not_before=1),
    ),
    pushed(
        "rules behind a new certificate for the same key",
        Error.KEY_REVOKED,
        RULES,
        9,
        lambda s: s.rules(
            signer=under(s.stolen_desk, s.authority.certificate(s.stolen_desk.key.public, Role.DESK, serial=99))
        ),
    ),
]


def inner_high_s(scene: Scene) -> bytes:
    return high_s(rotation(scene.authority.root.public, NEXT, 9))


FORMS = [
    pushed("high s in rules", Error.BAD_SIGNATURE, RULES, 9, lambda s: sealed_anew(s.rules(), high_s)),
    pushed("high s in a manifest", Error.BAD_SIGNATURE, MANIFEST, 9, lambda s: sealed_anew(s.manifest(9), high_s)),
    timed("high s in a time", Error.BAD_SIGNATURE, lambda s, nonce: sealed_anew(s.time(nonce), high_s)),
    given("high s in a receipt", Error.BAD_SIGNATURE, lambda s: sealed_anew(s.receipt(), high_s)),
    pushed("high s in a list", Error.BAD_SIGNATURE, LISTS, 9, lambda s: high_s(s.authority.revocations(9, []))),
    pushed("high s in a rotation", Error.BAD_SIGNATURE, ROOT, 9, lambda s: high_s(s.authority.hands_over(NEXT, 9))),
    pushed("high s of the new root", Error.BAD_SIGNATURE, ROOT, 9, with_rotation(inner_high_s)),
    pushed("high s in a certificate", Error.BAD_SIGNATURE, RULES, 9, lambda s: certified_anew(s.rules(), high_s)),
    given(
        "another algorithm in an object",
        Error.MALFORMED,
        lambda s: sealed_anew(s.receipt(), lambda signed: other_algorithm(signed, s.dock.key)),
    ),
    pushed(
        "another algorithm in a certificate",
        Error.MALFORMED,
        RULES,
        9,
        lambda s: certified_anew(s.rules(), lambda signed: other_algorithm(signed, s.authority.root)),
    ),
]

KEYS = [hashlib.sha256(bytes([number])).digest()[:8] for number in range(3)]
ROWS = {
    "descending": rows(sorted(KEYS, reverse=True), 1),
    "twice": rows([KEYS[0], KEYS[0]], 1),
    "torn": rows(sorted(KEYS), 1)[:-1],
    "for no reason": rows([KEYS[0]], 1)[:-1] + b"\0",
    "too many": rows(sorted(number.to_bytes(8, "big") for number in range(601)), 1),
}
LISTED = [
    pushed(f"rows {name}", Error.MALFORMED, LISTS, 9, lambda s, b=body: s.authority.sealed(LISTS, b, 9))
    for name, body in ROWS.items()
]

MAY = {
    (Role.DESK, RULES),
    (Role.DESK, MANIFEST),
    (Role.DESK, TIME),
    (Role.DESK, STAFF),
    (Role.DOCK, TIME),
    (Role.DOCK, ObjectKind.RECEIPT),
}
ROLES = {name: role for name, role in vars(Role).items() if isinstance(role, int)}


def confused(name: str, role: int) -> list[Attack]:
    """The signer of a role with every kind that is not its."""
    attacks = [
        pushed(f"{name} rules", Error.WRONG_ROLE, RULES, 9, lambda s: s.rules(signer=s.signers[role])),
        pushed(f"{name} manifest", Error.WRONG_ROLE, MANIFEST, 9, lambda s: s.manifest(9, signer=s.signers[role])),
        timed(f"{name} time", Error.WRONG_ROLE, lambda s, nonce: s.time(nonce, signer=s.signers[role])),
        given(f"{name} receipt", Error.WRONG_ROLE, lambda s: s.receipt(s.signers[role])),
        pushed(f"{name} list", Error.WRONG_ROLE, LISTS, 9, lambda s: by(s.signers[role], LISTS, b"", 9)),
        pushed(
            f"{name} rotation",
            Error.WRONG_ROLE,
            ROOT,
            9,
            lambda s: by(s.signers[role], ROOT, rotation(s.authority.root.public, NEXT, 9), 9),
        ),
        pushed(f"{name} staff list", Error.WRONG_ROLE, STAFF, 9, lambda s: s.staff(signer=s.signers[role])),
    ]
    kinds = (RULES, MANIFEST, TIME, ObjectKind.RECEIPT, LISTS, ROOT, STAFF)
    return [attack for attack, kind in zip(attacks, kinds, strict=True) if (role, kind) not in MAY]


CONFUSED = [attack for name, role in ROLES.items() for attack in confused(name.lower(), role)]
