"""A staff list as people write it: what a terminal gets of it, and where a mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.desk import staff
from plomba.errors import UsageError
from plomba.trust.keys import PrivateKey
from plomba_wire.codec import StaffList, StaffRow
from plomba_wire.pin_proof import pin_proof
from plomba_wire.schema import STAFF_MAX
from plomba_wire.vocabulary import Hand

DESK = PrivateKey.generate().public
SALT = bytes(range(8))
SAMPLE = f"""number = 3

[[badge]]
number = 42
name = "Анна К."
hand = "CLERK"
pin_hash = "{staff.pin_hash(SALT, 42, b"1234")}"

[[badge]]
number = 7
name = "Ivan"
hand = "SUPERVISOR"
pin = "87654321"
until = 2027-01-31T21:00:00+03:00

[[badge]]
number = 9
hand = "COURIER"
"""


def rows(body: bytes) -> list[StaffRow]:
    packed = StaffList.unpack(body).rows
    return [StaffRow.read(packed, at) for at in range(0, len(packed), StaffRow.SIZE)]


def test_a_terminal_gets_rows_and_no_names() -> None:
    listed = staff.compile_list(SAMPLE, "staff.toml")
    body = listed.body(DESK)
    assert listed.number == 3 and StaffList.unpack(body).owner == DESK
    seven, nine, forty_two = rows(body)
    assert (seven.badge, seven.hand, seven.until) == (7, Hand.SUPERVISOR, 1801418400)
    assert (nine.badge, nine.hand, nine.until) == (9, Hand.COURIER, 0)
    assert nine.salt + nine.proof == bytes(24)
    assert forty_two.salt == SALT and forty_two.proof == pin_proof(SALT, 42, b"1234")
    assert seven.proof == pin_proof(seven.salt, 7, b"87654321") and any(seven.salt)
    for word in ("Анна", "Ivan", "1234", "87654321"):
        assert word.encode() not in body
    assert [badge.name for badge in listed.badges] == ["Анна К.", "Ivan", ""]


def test_it_comes_out_the_same_every_time() -> None:
    assert staff.compile_list(SAMPLE, "a").body(DESK) == staff.compile_list(SAMPLE, "b").body(DESK)
    other = PrivateKey.generate().public
    assert (
        rows(staff.compile_list(SAMPLE, "a").body(other))[0].salt
        != rows(staff.compile_list(SAMPLE, "a").body(DESK))[0].salt
    )


def test_who_answers_challenges() -> None:
    other = PrivateKey.generate().public
    for value, owner in (("desk", DESK), ("none", bytes(64)), (other.hex(), other)):
        listed = staff.compile_list(f'owner = "{value}"\n{SAMPLE}', "staff.toml")
        assert StaffList.unpack(listed.body(DESK)).owner == owner


@given(st.dictionaries(st.integers(1, staff.BADGE_MAX), st.sampled_from(["CLERK", "PACKER", "WAREHOUSE"]), max_size=40))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_rows_ascend_whatever_the_order_in_the_file(badges: dict[int, str]) -> None:
    text = "number = 1\n" + "".join(f'[[badge]]\nnumber = {at}\nhand = "{hand}"\n' for at, hand in badges.items())
    found = rows(staff.compile_list(text, "staff.toml").body(DESK))
    assert [(row.badge, row.hand) for row in found] == sorted((at, getattr(Hand, hand)) for at, hand in badges.items())


def test_the_longest_list_and_one_more() -> None:
    def text(count: int) -> str:
        return "number = 1\n" + "".join(f'[[badge]]\nnumber = {at + 1}\nhand = "CLERK"\n' for at in range(count))

    assert len(rows(staff.compile_list(text(STAFF_MAX), "staff.toml").body(DESK))) == STAFF_MAX
    with pytest.raises(UsageError, match=f"{STAFF_MAX + 1} > {STAFF_MAX}"):
        staff.compile_list(text(STAFF_MAX + 1), "staff.toml")


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("number = 3", "number = 0", "(number)"),
        ("number = 3", "number = 4294967296", "(number)"),
        ("number = 3", "number = true", "(number)"),
        ("number = 3", "number = 3\nvalid = 1", "list: valid"),
        ("number = 3", 'number = 3\nowner = "me"', "(owner)"),
        ("number = 3", f'number = 3\nowner = "{"01" * 64}"', "(owner)"),
        ("number = 3", "number = ", "line 1"),
        ("number = 42", "number = 0", "badge 1 (line 3): number"),
        ("number = 42", "number = 1000000000", "badge 1 (line 3): number"),
        ("number = 42", 'number = "42"', "badge 1 (line 3): number"),
        ("number = 9", "number = 42", "badge 3 (line 16): number 42 twice"),
        ('"COURIER"', '"COOK"', "badge 3 (line 16): hand COOK"),
        ('"COURIER"', "2", "badge 3 (line 16): hand 2"),
        ('hand = "COURIER"', "", "badge 3 (line 16): hand None"),
        ('"Ivan"', '"I\\nvan"', "badge 2 (line 9): name"),
        ('"87654321"', '"123"', "badge 2 (line 9): pin"),
        ('"87654321"', '"123456789"', "badge 2 (line 9): pin"),
        ('"87654321"', '"12a4"', "badge 2 (line 9): pin"),
        ('"87654321"', '"١٢٣٤"', "badge 2 (line 9): pin"),
        ('"87654321"', "1234", "badge 2 (line 9): pin"),
        ("2027-01-31T21:00:00+03:00", "2027-01-31", "badge 2 (line 9): until"),
        ("2027-01-31T21:00:00+03:00", '"soon"', "badge 2 (line 9): until"),
        ("2027-01-31T21:00:00+03:00", "1969-01-31T21:00:00Z", "badge 2 (line 9): until"),
        ("2027-01-31T21:00:00+03:00", "2107-01-31T21:00:00Z", "badge 2 (line 9): until"),
        ('name = "Ivan"', f'pin_hash = "{"11" * 8}:{"22" * 16}"', "badge 2 (line 9): pin and pin_hash"),
        ('name = "Ivan"', 'phone = "112"', "badge 2 (line 9): phone"),
        ('pin_hash = "00', 'pin_hash = "0', "badge 1 (line 3): pin_hash"),
        (f'pin_hash = "{SALT.hex()}', f'pin_hash = "{bytes(8).hex()}', "badge 1 (line 3): pin_hash"),
        ("[[badge]]\nnumber = 9", "[[badge]]\n[[badge.x]]\nnumber = 9", "badge 3 (line 16): x"),
    ],
)
def test_a_mistake_is_named_with_its_row(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert old in SAMPLE
    path = tmp_path / "staff.toml"
    path.write_text(SAMPLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        staff.load(path)
    assert caught.value.code == "staff_invalid" and where in caught.value.what("en")
    assert "87654321" not in caught.value.what("en")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "staff.toml"
    for content in (None, b"\xff\xfe"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            staff.load(path)
        assert caught.value.code == "staff_invalid"
    for text in ("number = 1\nbadge = 3", 'number = 1\nbadge = ["x"]', "number = 1\n[badge]\nnumber = 3"):
        with pytest.raises(UsageError):
            staff.compile_list(text, "staff.toml")
