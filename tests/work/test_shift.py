"""Who works and by which rules: badges, PINs, a new rule that is read before it holds, the shift's end."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from hands import (
    CLERK,
    COURIER,
    PACKER,
    PIN,
    SUPERVISOR,
    WORN,
    card,
    changed,
    docked,
    give_rules,
    give_staff,
    order,
    play,
    staff,
    typed,
)
from workbench import HANDOUT, Workbench, label

from plomba.dock import Dock
from plomba.sim.gm65 import SeenCode
from plomba_wire.vocabulary import Action, Flag, State, Tlv, Verdict

pytestmark = pytest.mark.anyio

NEWS = '[news]\nru = "Теперь иначе"\nuk = "Тепер інакше"\nen = "It is another way"\n'
OWN = [card(f"BADGE*{CLERK}"), *typed(PIN[CLERK])]


def with_news(number: int, valid_from: str = "", *changes: tuple[str, str]) -> str:
    dated = f"valid_from = {valid_from}\n" if valid_from else ""
    return changed(("[title]\n", dated + NEWS + "[title]\n"), *changes, number=number)


async def test_a_badge_with_a_pin_opens_only_with_it(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    await give_staff(bench, staff())
    steps = (card("CLOSE"), card(f"BADGE*{CLERK}"), label("A"), card(f"BADGE*{CLERK}"), typed("1111"))
    assert await play(bench, *steps) == [
        *["SHIFT_CLOSE OK", "SHIFT_OPEN NEED_PIN", "REFUSED_SCAN NO_SHIFT", "SHIFT_OPEN NEED_PIN"],
        "SHIFT_OPEN PIN_WRONG",
    ]
    assert await play(bench, OWN, label("A"), card("BADGE*777"), label("A")) == [
        *["SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK", "STORE OK", "SHIFT_OPEN BADGE_UNKNOWN", "STORE REPEAT"],
    ]
    stored = next(r for r in docked(bench) if r.head.action == Action.STORE)
    assert stored.head.actor == CLERK
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    assert not any(b"DIGIT" in r.body for r in bench.records()) and b"PLB*DIGIT" not in flash


async def test_a_pin_is_typed_with_two_keys_and_the_tries_are_counted_across_the_power(bench: Workbench) -> None:
    await bench.ready([])
    await give_staff(bench, staff())
    await play(bench, card("CLOSE"))
    keys: list[str] = []
    for digit in PIN[CLERK]:
        keys += ["back"] * int(digit) + ["ok"]
    # The sign after 9 ends it.
    assert await play(bench, card(f"BADGE*{CLERK}"), *keys, *["back"] * 10, "ok") == [
        *["SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK"],
    ]
    await play(bench, card("CLOSE"))
    for _ in range(5):
        assert (await play(bench, card(f"BADGE*{CLERK}"), typed("0000")))[-1] == "SHIFT_OPEN PIN_WRONG"
    await restarted(bench)
    for _ in range(5):
        assert (await play(bench, card(f"BADGE*{CLERK}"), typed("0000")))[-1] == "SHIFT_OPEN PIN_WRONG"
    assert (await play(bench, OWN))[-1] == "SHIFT_OPEN PIN_LOCKED", "ten in all, and the right one comes too late"
    assert not any(r.head.actor for r in docked(bench)[-2:]), "nobody who is not proved has done anything"
    assert await play(bench, card(f"BADGE*{SUPERVISOR}"), typed(PIN[SUPERVISOR]), OWN) == [
        *["SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK", "SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK"],
    ], "a supervisor who is proved to be here gives the tries back"


async def test_a_badge_revoked_at_noon_opens_nothing_from_then_on(bench: Workbench) -> None:
    noon = int(time.time()) + 3600
    await bench.ready([order("A", State.AT_POINT)])
    await give_staff(bench, staff(until=noon))
    await play(bench, card("CLOSE"))
    assert await play(bench, card(f"BADGE*{WORN}"), card("CLOSE")) == ["SHIFT_OPEN OK", "SHIFT_CLOSE OK"]
    assert await play(bench, "wait 3700", docks_at(bench, 3700), card(f"BADGE*{WORN}")) == ["SHIFT_OPEN BADGE_REVOKED"]


async def test_a_hand_does_only_its_own_work(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    await give_staff(bench, staff())
    assert await play(bench, card("CLOSE"), card(f"BADGE*{COURIER}"), card("STORE"), HANDOUT) == [
        *["SHIFT_CLOSE OK", "SHIFT_OPEN OK", "REFUSED_SCAN NOT_ALLOWED", "NOTE OK"],
    ]


async def test_a_new_rule_is_read_before_anything_is_done_by_it(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT), order("B", State.AT_POINT)])
    steps = (partial(give_rules, bench, with_news(2)), "wait 1", label("A"), card("STORE"), "ok", label("A"))
    said = await play(bench, *steps)
    assert said == [
        *["RULES_ACK NEW_RULE", "REFUSED_SCAN NEW_RULE", "REFUSED_SCAN NEW_RULE", "RULES_ACK OK", "STORE OK"],
    ]
    [acknowledged] = [r for r in docked(bench) if r.head.action == Action.RULES_ACK and r.head.verdict == Verdict.OK]
    assert acknowledged.parts[Tlv.OBJECT] == b"\5\0\0\0\2" and acknowledged.head.actor == 42
    assert [r.head.rules for r in docked(bench)][-5:] == [2] * 5
    await restarted(bench)
    assert await play(bench, "wait 1", label("B")) == ["STORE OK"], "once a person, not once a start"
    assert await play(bench, card("CLOSE"), card("BADGE*7"), label("B")) == [
        *["SHIFT_CLOSE OK", "SHIFT_OPEN OK", "RULES_ACK NEW_RULE", "REFUSED_SCAN NEW_RULE"],
    ], "each person by themselves"


async def test_a_rule_holds_from_its_date_and_not_from_its_arrival(bench: Workbench) -> None:
    begins = int(time.time()) + 3600
    await bench.ready([order("A", State.AT_POINT, seals=["S"]), order("B", State.AT_POINT, seals=["T"])])
    loose = ('seal = "always"\n', 'seal = "never"\nwaiver = "for this test"\n')
    text = with_news(2, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begins)), loose)
    give = partial(give_rules, bench, text)
    assert await play(bench, give, "wait 1", "back", label("A"), label("B"), HANDOUT, label("A")) == [
        *["RULES_ACK NEW_RULE", "STORE OK", "STORE OK", "NOTE OK", "RETRIEVE NEED_SEAL"],
    ], "what comes can be read later, and the old rule holds"
    await play(bench, "back")
    later = await play(bench, "wait 3700", docks_at(bench, 3700), label("B"), "ok", label("B"), "ok")
    assert later.pop(0) == "NOTE LEFT_UNSCANNED"
    assert later == ["RULES_ACK NEW_RULE", "REFUSED_SCAN NEW_RULE", "RULES_ACK OK", "RETRIEVE CONFIRM", "HANDOUT OK"]
    numbers = [r.head.rules for r in docked(bench) if r.head.action in (Action.RETRIEVE, Action.HANDOUT)]
    assert numbers == [1, 2, 2]
    await restarted(bench)
    # The dock sets the clock at the end of this, not before.
    assert await play(bench, HANDOUT, label("A")) == ["NOTE OK", "RETRIEVE CONFIRM"], "without a clock it holds on"


async def test_a_rule_that_takes_force_in_a_visit_is_read_before_anything_is_let_go(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY)])
    give = partial(give_rules, bench, with_news(2))
    assert await play(bench, HANDOUT, label("A"), give, "ok", "ok", "ok") == [
        *["NOTE OK", "RETRIEVE CONFIRM", "REFUSED_SCAN NEW_RULE", "RULES_ACK OK", "HANDOUT OK"],
    ]


async def test_a_supervisors_word_is_for_the_shift_that_was_to_be_closed(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    await give_staff(bench, staff())
    await give_rules(bench, changed(('close = "any"', 'close = "docked"')))
    badge = card(f"BADGE*{SUPERVISOR}")
    assert await play(bench, label("A"), card("CLOSE"), label("A"), badge, label("A")) == [
        *["STORE OK", "SHIFT_CLOSE RECORDS_WAIT", "STORE REPEAT", "SHIFT_CLOSE RECORDS_WAIT", "STORE REPEAT"],
    ]


async def test_a_shift_ends_docked_or_by_a_supervisor(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    await give_staff(bench, staff())
    await give_rules(bench, changed(('close = "any"', 'close = "docked"')))
    assert await play(bench, label("A")) == ["STORE OK"]
    steps = (label("A"), card("CLOSE"), card(f"BADGE*{SUPERVISOR}"), typed(PIN[SUPERVISOR]))
    assert await play(bench, *steps) == [
        *["STORE REPEAT", "SHIFT_CLOSE RECORDS_WAIT", "SHIFT_CLOSE NEED_PIN", "SHIFT_CLOSE OK"],
    ]
    closed = docked(bench)[-1]
    assert closed.head.flags & Flag.OVERRIDE and closed.parts[Tlv.SUPERVISOR] == SUPERVISOR.to_bytes(4, "big")
    await play(bench, card("BADGE*43"))
    assert await play(bench, card("CLOSE")) == ["SHIFT_CLOSE OK"], "everything has its receipt"


async def test_a_shift_nobody_works_in_is_locked_and_goes_on_with_the_badge(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    await give_rules(bench, changed(("lock_min = 0", "lock_min = 10")))
    steps = [label("A"), "wait 590", label("A"), "wait 610", label("A"), card("BADGE*42"), label("A")]
    assert await play(bench, *steps) == [
        *["STORE OK", "STORE REPEAT", "REFUSED_SCAN NO_SHIFT", "SHIFT_OPEN OK", "STORE REPEAT"],
    ]


async def test_the_next_person_gets_a_mode_of_their_own(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY)])
    await give_staff(bench, staff())
    packer = card(f"BADGE*{PACKER}")
    assert await play(bench, HANDOUT, packer, label("A"), "ok") == [
        *["NOTE OK", "SHIFT_OPEN OK", "INTAKE_CHECK WRONG_STATE"],
    ]
    await restarted(bench)
    assert await play(bench, label("A")) == ["INTAKE_CHECK WRONG_STATE"], "STORE is no mode of a packer's either"


async def test_what_a_mode_holds_is_one_persons(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    assert await play(bench, card("LATE*40"), card("CLOSE"), card("BADGE*7"), label("A")) == [
        *["LATE_ENTRY NOTED", "SHIFT_CLOSE OK", "SHIFT_OPEN OK", "STORE OK"],
    ]


async def test_a_locked_shift_is_closed_by_a_supervisor_and_by_nobody_else(bench: Workbench) -> None:
    courier = await strict_point(bench)
    supervisor = [card(f"BADGE*{SUPERVISOR}"), *typed(PIN[SUPERVISOR])]
    assert await play(bench, label("A"), card("CLOSE"), "wait 62", courier, courier, supervisor, courier) == [
        *["STORE OK", "SHIFT_CLOSE RECORDS_WAIT", "SHIFT_CLOSE RECORDS_WAIT", "SHIFT_CLOSE NOT_ALLOWED"],
        *["SHIFT_CLOSE NEED_PIN", "SHIFT_CLOSE OK", "SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK"],
    ]
    closed = next(r for r in docked(bench) if (r.head.action, r.head.verdict) == (Action.SHIFT_CLOSE, Verdict.OK))
    assert closed.parts[Tlv.SUPERVISOR] == SUPERVISOR.to_bytes(4, "big")


async def test_what_was_asked_before_the_lock_is_asked_no_longer(bench: Workbench) -> None:
    courier = await strict_point(bench)
    assert await play(bench, label("A"), card("CLOSE"), "wait 62", partial(docks, bench), courier) == [
        *["STORE OK", "SHIFT_CLOSE RECORDS_WAIT", "SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK"],
    ]


async def test_another_badge_does_not_end_a_shift_that_has_records_waiting(bench: Workbench) -> None:
    courier = await strict_point(bench)
    assert await play(bench, label("A"), courier, label("A")) == [
        *["STORE OK", "SHIFT_CLOSE RECORDS_WAIT", "STORE REPEAT"],
    ]
    assert await play(bench, courier) == ["SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK"], "everything has its receipt"


async def test_a_restart_is_no_way_round_the_lock(bench: Workbench) -> None:
    await strict_point(bench)
    await restarted(bench)
    assert await play(bench, label("A"), OWN, label("A")) == [
        *["REFUSED_SCAN NO_SHIFT", "SHIFT_OPEN NEED_PIN", "SHIFT_OPEN OK", "STORE OK"],
    ]


async def test_a_parcel_on_the_counter_holds_no_lock_and_its_seal_is_waited_for(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY, seals=["S"])])
    slow = ("siren_s = 60", "siren_s = 90")
    await give_rules(bench, changed(("lock_min = 0", "lock_min = 1"), slow))
    assert await play(bench, HANDOUT, label("A"), "wait 62", label("A"), "wait 40", card("BADGE*42")) == [
        *["NOTE OK", "RETRIEVE NEED_SEAL", "REFUSED_SCAN NO_SHIFT", "NOTE LEFT_UNSCANNED", "SHIFT_OPEN OK"],
    ]


async def test_who_is_taken_off_the_list_does_nothing_from_the_docking_on(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY)])
    await give_staff(bench, staff())
    gone = staff().replace(f'[[badge]]\nnumber = {CLERK}\nhand = "CLERK"\npin = "{PIN[CLERK]}"\n', "")
    listed = partial(give_staff, bench, gone.replace("number = 1", "number = 2", 1))
    assert await play(bench, HANDOUT, label("A"), listed, "ok", label("A"), card(f"BADGE*{CLERK}")) == [
        *["NOTE OK", "RETRIEVE CONFIRM", "REFUSED_SCAN NO_SHIFT", "SHIFT_OPEN BADGE_UNKNOWN"],
    ]
    await restarted(bench)
    assert await play(bench, card("TAKE"), label("A"), card(f"BADGE*{COURIER}"), card("TAKE")) == [
        *["REFUSED_SCAN NO_SHIFT", "REFUSED_SCAN NO_SHIFT", "SHIFT_OPEN OK", "NOTE OK"],
    ]


async def test_who_gets_another_hand_has_it_from_the_docking_on(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY)])
    await give_staff(bench, staff())
    listed = staff().replace("number = 1", "number = 2", 1)
    moved = listed.replace(f'{CLERK}\nhand = "CLERK"', f'{CLERK}\nhand = "PACKER"')
    assert await play(bench, HANDOUT, partial(give_staff, bench, moved), label("A"), HANDOUT) == [
        *["NOTE OK", "INTAKE_CHECK WRONG_STATE", "REFUSED_SCAN NOT_ALLOWED"],
    ]


async def test_a_badge_that_ends_in_its_shift_locks_it(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT)])
    await give_staff(bench, staff(until=int(time.time()) + 3600))
    assert await play(bench, card(f"BADGE*{WORN}"), label("A"), "wait 3700", label("A")) == [
        *["SHIFT_OPEN OK", "STORE OK", "REFUSED_SCAN NO_SHIFT"],
    ]


async def strict_point(bench: Workbench) -> list[SeenCode]:
    """A clerk's shift that locks after a minute and ends docked; a courier's badge and PIN."""
    await bench.ready([order("A", State.AT_POINT)])
    pinless = f'number = {COURIER}\nhand = "COURIER"\n'
    await give_staff(bench, staff().replace(pinless, pinless + 'pin = "4343"\n'))
    await give_rules(bench, changed(('close = "any"', 'close = "docked"'), ("lock_min = 0", "lock_min = 1")))
    return [card(f"BADGE*{COURIER}"), *typed("4343")]


async def docks(bench: Workbench) -> None:
    await bench.sync()


async def restarted(bench: Workbench) -> None:
    await bench.terminal.restart()
    await bench.terminal.engine_ready()


async def test_an_old_list_is_noted_once_a_shift_or_nothing_goes_by_it(bench: Workbench) -> None:
    await bench.ready([order("A", State.AT_POINT), order("B", State.AT_POINT)])
    await docks_at(bench, 3 * 86400)()
    assert await play(bench, label("A"), label("B")) == ["NOTE STALE_LIST", "STORE OK", "STORE OK"]
    await give_rules(bench, changed(('stale = "warn"', 'stale = "refuse"')))
    assert await play(bench, label("B"), HANDOUT) == ["REFUSED_SCAN STALE_LIST", "NOTE OK"]


def docks_at(bench: Workbench, seconds: float) -> Callable[[], Awaitable[None]]:
    """From here on the dock's clock is so far ahead: where the terminal's is that has waited."""

    async def ahead() -> None:
        bench.dock = Dock(bench.ledger, bench.organisation, None, lambda: time.time() + seconds)

    return ahead


async def test_what_cannot_be_undone_a_supervisor_corrects(bench: Workbench) -> None:
    await bench.ready([order("A", State.READY), order("B", State.READY)])
    await give_staff(bench, staff())
    await play(bench, HANDOUT, label("A"), "ok", card("CLOSE"), OWN)
    steps = (card("UNDO"), HANDOUT, label("A"), card("CORRECT"), card("REASON*99"), card(f"BADGE*{COURIER}"))
    assert await play(bench, *steps) == [
        *["REFUSED_SCAN NOTHING_TO_UNDO", "NOTE OK", "RETRIEVE WRONG_STATE", "UNDO NEED_REASON"],
        *["UNDO NEED_SUPERVISOR", "UNDO NOT_ALLOWED"],
    ]
    assert await play(bench, card(f"BADGE*{SUPERVISOR}"), typed(PIN[SUPERVISOR])) == ["UNDO NEED_PIN", "UNDO OK"]
    corrected, handed = docked(bench)[-1], next(r for r in docked(bench) if r.head.action == Action.HANDOUT)
    assert (corrected.head.state_before, corrected.head.state_after) == (State.DELIVERED, State.IDENTIFIED)
    assert int.from_bytes(corrected.parts[Tlv.REF_SEQ], "big") == handed.head.seq
    assert corrected.head.flags & Flag.OVERRIDE and corrected.head.actor == CLERK
    assert await play(bench, label("A"), "ok", label("B"), card("CORRECT")) == [
        *["RETRIEVE CONFIRM", "HANDOUT OK", "RETRIEVE CONFIRM", "UNDO NEED_REASON"],
    ]
