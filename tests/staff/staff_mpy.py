"""The staff list in force, really signed, installed over a transfer and read back as a start does it.

Under MicroPython only; prints JSON.
"""

import collects  # noqa: F401
import nor
import vfs
from packages import DESK_KEY, NOW, ROOT, STRANGER_KEY, bundle, certificate, flipped, offer, signed
from situations import refuses, run

from plomba_wire.codec import StaffRow
from plomba_wire.pin_proof import pin_proof
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, Hand, ObjectKind, Role, Verdict
from terminal import files
from terminal.flash import FileRange, Region
from terminal.keys import p256
from terminal.objects.staff import Staff
from terminal.objects.transfer import SMALL_MAX, Transfer

MOST = 230
OWNER = p256.public_key(77)
NOBODY = bytes(64)
SALT = b"saltsalt"
KIND = ObjectKind.STAFF
END = 1_900_000_000

CHIP = nor.Nor(nor.blank(12))


def fresh() -> Staff:
    """A terminal that never had a list."""
    CHIP.image[:] = b"\xff" * len(CHIP.image)
    files.mount(FileRange(CHIP, 0, 12), Region(nor.Nor(nor.blank(1)), 0, 1))
    return Staff()


def done() -> None:
    vfs.umount("/state")


def row(badge: int, hand: int = Hand.CLERK, until: int = 0, pin: bytes = b"") -> bytes:
    if not pin:
        return StaffRow(badge, hand, until, bytes(8), bytes(16)).pack()
    return StaffRow(badge, hand, until, SALT, pin_proof(SALT, badge, pin)).pack()


def arrives(staff: Staff, number: int, body: bytes, signer: bytes = b"", key: int = DESK_KEY) -> None:
    """Over a transfer in pieces, as the link brings it. Raises Refusal."""
    whole = bundle(signed(KIND, number, body, key), signer) if signer else bundle(signed(KIND, number, body, key))
    transfer = Transfer(offer(whole, number, len(whole), KIND), ROOT, NOW, None)
    for at in range(0, len(whole), 500):
        transfer.write(at, whole[at : at + 500])
    staff.install(transfer)


def refused(staff: Staff, number: int, body: bytes, **more) -> "tuple[int, int]":
    held = staff.number, staff.owner, files.load("staff")
    try:
        arrives(staff, number, body, **more)
    except Refusal as refusal:
        assert held == (staff.number, staff.owner, files.load("staff"))
        return refusal.code, refusal.detail
    raise AssertionError("taken")


def restarted() -> Staff:
    staff = Staff()
    staff.load(ROOT)
    return staff


def test_without_a_list_every_badge_is_as_good_as_another():
    staff = fresh()
    staff.load(ROOT)
    assert (staff.number, staff.damaged, staff.listed, staff.owner) == (0, False, False, b"")
    for badge in (0, 1, 42, 0xFFFFFFFF):
        assert staff.look(badge, END, True) == (Verdict.OK, 0)
        assert not staff.wants_pin(badge) and not staff.fits(badge, b"1234")
    done()


def test_a_list_says_who_may_do_what_and_stays_across_a_restart():
    staff = fresh()
    hands = (Hand.CLERK, Hand.COURIER, Hand.PACKER, Hand.WAREHOUSE, Hand.SUPERVISOR)
    arrives(staff, 5, OWNER + b"".join([row(10 * hand, hand) for hand in hands]))
    for found in (staff, restarted()):
        assert (found.number, found.damaged, found.listed, found.owner) == (5, False, True, OWNER)
        for hand in hands:
            assert found.look(10 * hand, 0, False) == (Verdict.OK, hand)
        for badge in (0, 9, 11, 25, 49, 51, 0xFFFFFFFF):
            assert found.look(badge, 0, False) == (Verdict.BADGE_UNKNOWN, 0)
    done()


def test_every_badge_of_the_longest_list_is_found_and_no_other():
    staff = fresh()
    body = NOBODY + b"".join([row(3 * at, 1 + at % 5) for at in range(1, MOST + 1)])
    assert len(bundle(signed(KIND, 1, body, DESK_KEY))) + 200 - len(certificate()) <= SMALL_MAX
    arrives(staff, 1, body)
    for at in range(1, MOST + 1):
        assert staff.look(3 * at, 0, False) == (Verdict.OK, 1 + at % 5)
        assert staff.look(3 * at - 1, 0, False)[0] == staff.look(3 * at + 1, 0, False)[0] == Verdict.BADGE_UNKNOWN
    assert staff.owner == b""
    done()


def test_a_badge_ends_by_a_trusted_clock_only():
    staff = fresh()
    arrives(staff, 1, NOBODY + row(1, Hand.CLERK, END) + row(2, Hand.SUPERVISOR))
    for utc, trusted, said in (
        (END, True, (Verdict.OK, Hand.CLERK)),
        (END + 1, True, (Verdict.BADGE_REVOKED, 0)),
        (END + 1, False, (Verdict.OK, Hand.CLERK)),
        (0, False, (Verdict.OK, Hand.CLERK)),
        (0, True, (Verdict.OK, Hand.CLERK)),
    ):
        assert staff.look(1, utc, trusted) == said
        assert staff.look(2, utc, trusted) == (Verdict.OK, Hand.SUPERVISOR)
    done()


def test_a_pin_proves_its_own_badge_and_no_other():
    staff = fresh()
    arrives(staff, 1, NOBODY + row(1, pin=b"1234") + row(2) + row(3, pin=b"4321") + row(4, pin=b"12345678"))
    for found in (staff, restarted()):
        assert [found.wants_pin(badge) for badge in range(6)] == [False, True, False, True, True, False]
        assert found.fits(1, b"1234") and found.fits(3, b"4321") and found.fits(4, b"12345678")
        for badge, pin in (
            (1, b"4321"),
            (3, b"1234"),
            (1, b"1235"),
            (1, b"01234"),
            (1, b"123"),
            (1, b""),
            (4, b"1234"),
        ):
            assert not found.fits(badge, pin), (badge, pin)
        # Nobody is let in by a PIN where there is none to compare with.
        assert not any([found.fits(badge, pin) for badge in (0, 2, 5) for pin in (b"", b"0000", b"1234")])
    done()


def test_a_row_with_half_a_proof_is_not_a_badge_without_a_pin():
    staff = fresh()
    half = StaffRow(1, Hand.CLERK, 0, SALT, bytes(16)).pack() + StaffRow(2, Hand.CLERK, 0, bytes(8), b"p" * 16).pack()
    arrives(staff, 1, NOBODY + half)
    assert staff.wants_pin(1) and staff.wants_pin(2) and not staff.fits(1, b"1234") and not staff.fits(2, b"1234")
    done()


def test_what_is_older_does_not_come_back():
    staff = fresh()
    arrives(staff, 7, OWNER + row(1, Hand.SUPERVISOR))
    for found in (staff, restarted()):
        for number in (6, 7):
            assert refused(found, number, NOBODY + row(1, Hand.CLERK)) == (Error.ROLLBACK, 7)
    arrives(staff, 8, NOBODY)
    assert staff.look(1, 0, False) == (Verdict.BADGE_UNKNOWN, 0) and staff.owner == b"" and staff.listed
    done()


def test_a_malformed_list_is_refused_and_the_one_before_stays():
    staff = fresh()
    arrives(staff, 1, OWNER + row(1, Hand.SUPERVISOR))
    rows = [row(badge) for badge in range(1, MOST + 2)]
    unknown_hand = bytearray(row(2))
    for name, body in (
        ("badge 0", NOBODY + row(0)),
        ("descending", NOBODY + row(2) + row(1)),
        ("twice", NOBODY + row(2) + row(2)),
        ("a row cut off", (NOBODY + row(2))[:-1]),
        ("a byte too many", NOBODY + row(2) + b"\0"),
        ("no owner", b""),
        ("an owner cut off", OWNER[:-1]),
        ("an owner off the curve", flipped(OWNER, 63)),
        ("an owner over the field", b"\xff" * 64),
        ("too many", NOBODY + b"".join(rows)),
    ):
        assert refused(staff, 2, body)[0] in (Error.MALFORMED, Error.TOO_BIG), name
    for hand in (0, 6, 255):
        unknown_hand[4] = hand
        assert refused(staff, 2, NOBODY + bytes(unknown_hand)) == (Error.MALFORMED, 0), hand
    assert staff.look(1, 0, False) == restarted().look(1, 0, False) == (Verdict.OK, Hand.SUPERVISOR)
    done()


def test_nobody_but_a_desk_signs_one():
    staff = fresh()
    body = OWNER + row(1, Hand.SUPERVISOR)
    for role in (Role.TERMINAL, Role.DOCK, Role.SEAL_ISSUER, Role.RELEASE):
        assert refused(staff, 1, body, signer=certificate(role)) == (Error.WRONG_ROLE, 0)
    assert refused(staff, 1, body, signer=certificate(issuer=STRANGER_KEY)) == (Error.UNKNOWN_KEY, 0)
    assert refused(staff, 1, body, key=STRANGER_KEY) == (Error.UNKNOWN_KEY, 0)
    assert not staff.listed
    done()


def test_a_damaged_list_lets_nobody_in_until_another_comes():
    staff = fresh()
    arrives(staff, 3, OWNER + row(1, Hand.SUPERVISOR, pin=b"1234"))
    whole = files.load("staff")
    for at in (0, 1, 40, len(whole) // 2, len(whole) - 65, len(whole) - 1):
        files.save("staff", flipped(whole, at))
        found = restarted()
        assert found.damaged and found.listed and not found.number, at
        assert found.look(1, 0, False) == (Verdict.BADGE_UNKNOWN, 0) and found.owner == b""
        assert not found.wants_pin(1) and not found.fits(1, b"1234")
    arrives(found, 4, OWNER + row(1, Hand.SUPERVISOR))
    assert not found.damaged and found.look(1, 0, False) == (Verdict.OK, Hand.SUPERVISOR)
    done()


def test_a_stored_list_with_a_hand_that_this_firmware_does_not_know_is_a_damaged_one():
    staff = fresh()
    odd = bytearray(row(2))
    odd[4] = 99
    files.save("staff", bundle(signed(KIND, 3, NOBODY + row(1) + bytes(odd), DESK_KEY)))
    staff.load(ROOT)
    assert staff.damaged and staff.look(1, 0, False) == staff.look(2, 0, False) == (Verdict.BADGE_UNKNOWN, 0)
    done()


def test_a_flash_that_fails_leaves_the_list_before_in_force():
    staff = fresh()
    arrives(staff, 1, OWNER + row(1))

    def fails(flash, kind, at, data) -> None:
        raise OSError(5)

    CHIP.before = fails
    refuses(OSError, arrives, staff, 2, NOBODY + row(2))
    CHIP.before = None
    assert staff.number == 1 and staff.look(1, 0, False)[0] == Verdict.OK
    done()


run(globals())
