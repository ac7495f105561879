"""A code that cannot be read: every rung is a record, and nothing is let go on a rung that does not hold."""

from __future__ import annotations

import pytest
from hands import CLERK, PIN, SUPERVISOR, card, changed, docked, give_rules, give_staff, order, play, staff, typed
from workbench import HANDOUT, Workbench, label, qr

from plomba.trust import answers
from plomba_wire.vocabulary import Action, Flag, State, Tlv, Verdict

pytestmark = pytest.mark.anyio

RING = order("RING", State.READY, seals=["SEAL-1"])
OTHER = order("OTHER", State.READY, seals=["SEAL-2"])
TWICE = [*typed("SEAL-1"), *typed("SEAL-1")]
ALLOWED = [card(f"BADGE*{SUPERVISOR}"), *typed(PIN[SUPERVISOR])]


async def at_the_counter(bench: Workbench) -> None:
    await bench.ready([RING, OTHER])
    await give_staff(bench, staff())
    await play(bench, card("CLOSE"), card(f"BADGE*{CLERK}"), typed(PIN[CLERK]), HANDOUT, label("RING"), "unread")


async def test_a_seal_typed_twice_counts_with_a_photo(bench: Workbench) -> None:
    await at_the_counter(bench)
    assert await play(bench, card("TYPE"), TWICE, "ok", card("PHOTO*cam 1 10:00"), "ok") == [
        *["UNREADABLE NEED_DIGITS", "SEAL_CHECK SEAL_OK", "HANDOUT NEED_PHOTO", "HANDOUT CONFIRM", "HANDOUT OK"],
    ]
    check, handed = (
        next(r for r in docked(bench) if r.head.action == a and r.head.verdict == v)
        for a, v in ((Action.SEAL_CHECK, Verdict.SEAL_OK), (Action.HANDOUT, Verdict.OK))
    )
    assert check.head.flags & Flag.MANUAL and check.parts[Tlv.CODE] == b"SEAL-1" and check.head.symbology == 0
    assert handed.head.flags & Flag.MANUAL and handed.parts[Tlv.CAMERA] == b"cam 1 10:00"


async def test_what_is_typed_must_be_the_same_twice_and_expected(bench: Workbench) -> None:
    await at_the_counter(bench)
    assert await play(bench, card("TYPE"), typed("SEAL-1"), typed("SEAL-9"), "ok") == [
        *["UNREADABLE NEED_DIGITS", "UNREADABLE DIGITS_DIFFER", "HANDOUT NEED_SEAL"],
    ]
    assert await play(bench, card("TYPE"), typed("GUESS"), typed("GUESS"), "ok") == [
        *["UNREADABLE NEED_DIGITS", "REFUSED_SCAN UNKNOWN", "HANDOUT NEED_SEAL"],
    ]
    assert await play(bench, card("TYPE"), typed("SEAL-2"), typed("SEAL-2"), "ok") == [
        *["UNREADABLE NEED_DIGITS", "SEAL_CHECK WRONG_SEAL", "HANDOUT NEED_SEAL"],
    ]


async def test_typing_is_limited_in_a_shift_across_a_restart(bench: Workbench) -> None:
    await at_the_counter(bench)
    await give_rules(bench, changed(("typed = 5", "typed = 2")))
    for _ in range(2):
        await play(bench, card("TYPE"), typed("GUESS"), typed("GUESS"))
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await play(bench, HANDOUT, label("RING"), card("TYPE")) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "UNREADABLE LIMIT"],
    ]


async def test_a_supervisor_decides_with_reason_and_photo(bench: Workbench) -> None:
    await at_the_counter(bench)
    steps = (card("OVERRIDE"), card("REASON*20"), card("PHOTO*" + "ab" * 16), card("BADGE*43"), "ok")
    assert await play(bench, *steps) == [
        *["OVERRIDE NEED_REASON", "OVERRIDE NEED_PHOTO", "OVERRIDE NEED_SUPERVISOR", "OVERRIDE NOT_ALLOWED"],
        "HANDOUT NEED_SEAL",
    ]
    assert await play(bench, ALLOWED, "ok") == ["OVERRIDE NEED_PIN", "OVERRIDE OK", "HANDOUT OK"]
    decided, handed = docked(bench)[-2:]
    assert decided.parts[Tlv.SUPERVISOR] == SUPERVISOR.to_bytes(4, "big") and decided.head.actor == CLERK
    assert (decided.parts[Tlv.REASON], decided.parts[Tlv.PHOTO]) == (b"\0\x14", b"\xab" * 16)
    assert decided.parts[Tlv.NEED] == bytes((Verdict.NEED_SEAL,))
    assert handed.head.flags & Flag.OVERRIDE
    assert int.from_bytes(handed.parts[Tlv.REF_SEQ], "big") == decided.head.seq


async def test_overrides_are_counted_in_a_shift_across_a_restart(bench: Workbench) -> None:
    await at_the_counter(bench)
    await give_rules(bench, changed(("override = 2", "override = 1")))
    await play(bench, card("OVERRIDE"), card("REASON*20"), card("PHOTO*x"), ALLOWED, "ok")
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    assert await play(bench, HANDOUT, label("OTHER"), card("OVERRIDE"), card("HOLD")) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "OVERRIDE LIMIT", "HOLD OK"],
    ]


async def test_a_remote_owner_answers_a_challenge(bench: Workbench) -> None:
    await at_the_counter(bench)
    steps = (card("OVERRIDE"), card("REASON*20"), card("PHOTO*x"), card("CALL"), typed("00000000")[:-1])
    asked = await play(bench, *steps)
    assert asked[-2:] == ["OVERRIDE NEED_ANSWER", "OVERRIDE ANSWER_WRONG"]
    challenge = docked(bench)[-1].parts[Tlv.CHALLENGE].decode()
    assert bench.enrolled is not None
    answer = answers.answer(bench.organisation.desk.key, bench.enrolled.public, "RING", Verdict.NEED_SEAL, challenge)
    assert await play(bench, typed(answer)[:-1], "ok") == ["OVERRIDE OK", "HANDOUT OK"]
    decided = docked(bench)[-2]
    assert decided.parts[Tlv.SUPERVISOR] == bytes(4) and decided.parts[Tlv.CHALLENGE] == challenge.encode()


async def test_an_override_is_for_this_visit_and_this_parcel(bench: Workbench) -> None:
    await at_the_counter(bench)
    assert (await play(bench, card("OVERRIDE"), card("REASON*20"), card("PHOTO*x"), ALLOWED))[-1] == "OVERRIDE OK"
    assert await play(bench, "back", HANDOUT, label("RING"), "ok", label("OTHER"), "ok") == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "HANDOUT NEED_SEAL", "RETRIEVE NEED_SEAL", "HANDOUT NEED_SEAL"],
    ]


async def test_without_a_reason_to_there_is_nothing_to_override(bench: Workbench) -> None:
    await bench.ready([RING, order("BOOK", State.READY)])
    steps = (card("OVERRIDE"), HANDOUT, label("BOOK"), card("OVERRIDE"), label("RING"), qr("SEAL-1"))
    assert await play(bench, *steps) == [
        *["REFUSED_SCAN NO_VISIT", "NOTE OK", "RETRIEVE CONFIRM", "OVERRIDE WRONG_STATE", "RETRIEVE NEED_SEAL"],
        "SEAL_CHECK SEAL_OK",
    ]
    assert await play(bench, card("OVERRIDE")) == ["OVERRIDE WRONG_STATE"]
