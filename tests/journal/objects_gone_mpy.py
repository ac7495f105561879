"""Signed objects in small state whose file is gone, or is an older one again: flash that rots can bring back either.

What was in force is known apart from them. So a terminal that had a list never takes itself for one without, and
nothing older comes back.
"""

import json
import os
import struct

import collects  # noqa: F401
import nor
import vfs
from packages import DESK_KEY, NOW, ROOT, ROOT_KEY, bundle, flipped, offer, signed
from situations import refuses, run

from plomba_wire.codec import RevokedRow, SealList, StaffRow
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Hand, ObjectKind, Verdict
from terminal import files
from terminal.flash import FileRange, Region
from terminal.objects.newest import Newest
from terminal.objects.revocations import Revocations
from terminal.objects.rules import Rules
from terminal.objects.seals import Seals
from terminal.objects.staff import Staff
from terminal.objects.transfer import Transfer

_BLOCKS = 16
_BADGE = 42
_KEY_ID = b"stranger"
_LATER = NOW + 1000

CHIP = nor.Nor(nor.blank(_BLOCKS))


def fresh() -> None:
    """A terminal that never had anything."""
    CHIP.image[:] = b"\xff" * len(CHIP.image)
    files.mount(FileRange(CHIP, 0, _BLOCKS), Region(nor.Nor(nor.blank(1)), 0, 1))


def done() -> None:
    vfs.umount("/state")


def by_root(kind: int, version: int, body: bytes) -> bytes:
    return struct.pack(">H", 0) + signed(kind, version, body, ROOT_KEY)


class Kind:
    """One kind of list: its file, a bundle of it, and what a start makes of the file."""

    def __init__(self, name: str, kind: int, body: bytes, new) -> None:
        self.name = name
        self.kind = kind
        self.new = new
        self._body = body

    def bundle(self, version: int) -> bytes:
        if self.kind == ObjectKind.REVOCATIONS:
            return by_root(self.kind, version, self._body)
        return bundle(signed(self.kind, version, self._body, DESK_KEY))

    def transfer(self, version: int) -> Transfer:
        whole = self.bundle(version)
        transfer = Transfer(offer(whole, version, len(whole), self.kind), ROOT, NOW, None)
        transfer.write(0, whole)
        return transfer

    def comes(self, held, version: int) -> None:
        """As link/service.py takes one."""
        transfer = self.transfer(version)
        if self.kind == ObjectKind.SEALS:
            held.install(transfer, ROOT)
        else:
            held.install(transfer)
        Newest().rise(self.kind, held.number)

    def started(self):
        held = self.new()
        held.load(ROOT, Newest().held(self.kind))
        return held


STAFF = Kind("staff", ObjectKind.STAFF, bytes(64) + StaffRow(_BADGE, Hand.CLERK, 0, bytes(8), bytes(16)).pack(), Staff)
SEALS = Kind("seals", ObjectKind.SEALS, SealList(0, 0, 0, b"").pack(), lambda: Seals(Revocations()))
REVOKED = Kind("revoked", ObjectKind.REVOCATIONS, RevokedRow(_KEY_ID, 1, 1).pack(), Revocations)
LISTS = (STAFF, SEALS, REVOKED)


def spoiled(kind: Kind, how: str) -> None:
    if how == "gone":
        os.remove("/state/" + kind.name)
    else:
        files.save(kind.name, kind.bundle(2))


def test_a_list_that_never_was_is_not_missing():
    fresh()
    for kind in LISTS:
        held = kind.started()
        assert (held.number, held.damaged) == (0, False), kind.name
    assert Staff().look(_BADGE, 0, False) == (Verdict.OK, 0)
    done()


def test_a_list_is_what_it_was_after_a_start():
    fresh()
    for kind in LISTS:
        for version in (2, 3):
            kind.comes(kind.started(), version)
        held = kind.started()
        assert (held.number, held.damaged) == (3, False), kind.name
    done()


def test_a_list_newer_than_what_is_remembered_is_the_one_in_force():
    """The power went between the two."""
    fresh()
    for kind in LISTS:
        kind.comes(kind.started(), 2)
        files.save(kind.name, kind.bundle(3))
        held = kind.started()
        assert (held.number, held.damaged) == (3, False), kind.name
    done()


def test_a_list_that_is_gone_or_older_is_damaged_until_it_comes_again():
    for how in ("gone", "older"):
        fresh()
        for kind in LISTS:
            kind.comes(kind.started(), 3)
            spoiled(kind, how)
            held = kind.started()
            assert (held.number, held.damaged) == (0, True), (kind.name, how)
            kind.comes(held, 3)
            for found in (held, kind.started()):
                assert (found.number, found.damaged) == (3, False), (kind.name, how)
        done()


def test_while_a_list_is_gone_nobody_is_believed():
    for how in ("gone", "older"):
        fresh()
        for kind in (STAFF, REVOKED):
            kind.comes(kind.started(), 3)
            spoiled(kind, how)
        staff, revocations = STAFF.started(), REVOKED.started()
        for badge in (_BADGE, _BADGE + 1):
            assert staff.look(badge, 0, False) == (Verdict.BADGE_UNKNOWN, 0), how
        for key in (_KEY_ID, b"unlisted"):
            refuses(Refusal, revocations.holds, key)
        done()


def pack(number: int, begins: int = 0) -> bytes:
    zeros = {"badge": 0, "pin": 0, "close": 0, "lock_s": 0}
    limits = {"tries": 3, "override": 0, "typed": 0, "stale_s": 0, "stale": 0}
    body = {"number": number, "from": begins, "shift": zeros, "limits": limits, "classes": {}, "hands": {}, "steps": []}
    return bundle(signed(ObjectKind.RULES, number, json.dumps(body).encode(), DESK_KEY))


def comes(number: int, begins: int = 0, utc: int = NOW) -> None:
    rules = started()
    whole = pack(number, begins)
    transfer = Transfer(offer(whole, number, len(whole), ObjectKind.RULES), ROOT, utc, None)
    transfer.write(0, whole)
    rules.install(transfer, utc)
    Newest().rise(ObjectKind.RULES, rules.newest)


def started() -> Rules:
    rules = Rules()
    rules.load(ROOT, Newest().held(ObjectKind.RULES))
    return rules


def state(rules: Rules) -> "tuple[int, int, bool]":
    return rules.number, rules.newest, rules.damaged


def test_rules_that_are_gone_or_older_are_not_in_force():
    for before, after in ((None, None), (4, None), (4, 4)):
        fresh()
        if before:
            comes(before)
        comes(5)
        os.remove("/state/rules")
        if after:
            files.save("rules", pack(after))
        rules = started()
        assert state(rules) == (0, 0, True), (before, after)
        assert not rules.turn(_LATER)
        comes(5)
        assert state(started()) == (5, 5, False)
        done()


def test_where_the_pack_that_waits_is_gone_nobody_can_tell_what_was_in_force():
    fresh()
    comes(4)
    comes(5, _LATER)
    assert state(started()) == (4, 5, False)
    os.remove("/state/rules_next")
    assert state(started()) == (0, 0, True)
    done()


def test_where_the_pack_that_waits_does_not_verify_the_one_in_force_is_whole():
    fresh()
    comes(4)
    comes(5, _LATER)
    files.save("rules_next", flipped(pack(5, _LATER), 300))
    rules = started()
    assert state(rules) == (4, 4, True) and not rules.turn(_LATER)
    comes(5, _LATER)
    assert state(started()) == (4, 5, False)
    done()


def test_no_pack_that_once_waited_comes_back_where_the_one_in_force_is_damaged():
    fresh()
    comes(4)
    comes(5, _LATER)
    assert started().turn(_LATER)
    comes(6, 0, _LATER)
    files.save("rules", flipped(pack(6), 300))
    rules = started()
    assert state(rules) == (0, 0, True) and not rules.turn(_LATER)
    done()


def test_the_copy_that_waited_mends_the_one_in_force():
    fresh()
    comes(4)
    comes(5, _LATER)
    assert started().turn(_LATER)
    files.save("rules", flipped(pack(5, _LATER), 300))
    rules = started()
    assert rules.damaged and rules.turn(_LATER)
    assert state(rules) == state(started()) == (5, 5, False)
    done()


def test_a_pack_that_is_due_is_not_lost_by_one_that_comes_before_the_next_tick():
    fresh()
    comes(4)
    comes(5, _LATER)
    comes(6, _LATER + 1000, _LATER)
    assert state(started()) == (5, 6, False)
    done()


run(globals())
