"""A shift: opened by badge and PIN, interrupted by a new rule that has to be read, closed."""

import struct

from plomba_wire.vocabulary import MODE_ACTIONS, Action, CodeKind, Flag, Hand, ObjectKind, Tlv, Verdict
from terminal.work import asking, cards, entry, ladder, steps
from terminal.work.decision import Decision, refused, told


def badge(flow, value: bytes) -> "list[Decision]":
    """A badge: it opens a shift, or answers where a supervisor was asked for."""
    number = cards.number(value)
    if not number:
        return [refused(Verdict.REFUSED_CODE, CodeKind.BADGE)]
    people = flow.people
    verdict, hand = people.look(number, flow.clock)
    item = flow.pointed
    waiting = item is not None and steps.asks_for(flow.rules, item, Verdict.NEED_SUPERVISOR)
    if (waiting or flow.closing) and number != people.actor and people.actor:
        if verdict == Verdict.OK and not people.supervises(number, hand):
            verdict = Verdict.NOT_ALLOWED
        if verdict != Verdict.OK:
            return [_supervised(flow, item, verdict, number)]
        if people.wants_pin(number):
            flow.entry = entry.Entry(entry.PIN)
            flow.badge = (number, hand)
            return [_supervised(flow, item, Verdict.NEED_PIN, number)]
        return supervisor(flow, number)
    if verdict != Verdict.OK:
        return _opening(people, number, verdict)
    if number == people.actor and not people.locked:
        return _opening(people, number, Verdict.REPEAT)
    if people.actor and number != people.actor and _waits(flow):
        # Another's shift would end unseen.
        return [_records_wait(flow)]
    if people.wants_pin(number) and flow.rules.wants_pin:
        flow.entry = entry.Entry(entry.PIN)
        flow.badge = (number, hand)
        return _opening(people, number, Verdict.NEED_PIN)
    return _open(flow, number, hand)


def proved(flow, pin: bytes) -> "list[Decision]":
    """A PIN was typed for the badge that was scanned. Raises NotCounted."""
    number, hand = flow.badge
    flow.entry = None
    verdict = flow.people.prove(number, pin)
    item = flow.pointed
    waiting = item is not None and steps.asks_for(flow.rules, item, Verdict.NEED_SUPERVISOR)
    if (waiting or flow.closing) and flow.people.supervises(number, hand):
        if verdict != Verdict.OK:
            return [_supervised(flow, item, verdict, number)]
        return supervisor(flow, number)
    if verdict != Verdict.OK:
        return _opening(flow.people, number, verdict)
    decisions = _open(flow, number, hand)
    decisions[0].flags |= Flag.MANUAL
    if hand == Hand.SUPERVISOR:
        # Who is locked out asks for a supervisor.
        decisions[0].effect = lambda seq: _opened(flow, number, hand, True)
    return decisions


def supervisor(flow, number: int) -> "list[Decision]":
    """A supervisor stands behind what was asked."""
    value = struct.pack(">I", number)
    if flow.closing:
        return [_closed(flow, value)]
    return asking.bring(flow, Verdict.NEED_SUPERVISOR, value, CodeKind.BADGE)


def unread(flow) -> int:
    """Number of a rule pack that the person of this shift has to read; 0 = none. The one in force comes first."""
    rules = flow.rules
    people = flow.people
    if not people.actor or people.locked:
        return 0
    for number in (rules.number, rules.newest):
        if number != flow.put_off and rules.news(number) and not people.has_read(number):
            return number
    return 0


def acknowledge(flow, number: int) -> "list[Decision]":
    """The person of this shift has read the new rule."""
    decision = _rule(number, Verdict.OK)
    decision.code_kind = CodeKind.KEY
    decision.effect = lambda seq: flow.people.acknowledge(number)
    return [decision]


def show_rule(flow) -> "Decision | None":
    """A new rule is shown: that is a record, and the acknowledgement another. None when there is none to show."""
    number = unread(flow)
    if not number or number == flow.rule_shown:
        return None
    decision = _rule(number, Verdict.NEW_RULE)
    decision.effect = lambda seq: setattr(flow, "rule_shown", number)
    return decision


def read_first(flow, kind: int) -> Decision:
    """Nothing is done before the rule in force was read; the scan shows it."""
    number = flow.rules.number
    decision = refused(Verdict.NEW_RULE, kind)
    decision.effect = lambda seq: setattr(flow, "rule_shown", number)
    return decision


def close(flow, _: bytes) -> "list[Decision]":
    """The shift ends: by the rules perhaps only when every record has its receipt, or a supervisor says so."""
    ended: "list[Decision]" = []
    if flow.routes.number:
        from terminal.work import route

        # Nobody's records carry the number of the route of the person before.
        ended = route.close_route(flow, b"")
        if flow.routes.open:
            return ended
    return ended + [_records_wait(flow) if _waits(flow) else _closed(flow, b"")]


def lock(flow) -> None:
    """The badge is asked for again; a seal that was not read is still waited for."""
    flow.people.locked = True
    flow.closing = False
    flow.clear()


def check(flow) -> bool:
    """Holds the person of this shift against the staff list: whether that locked it, because they are not on it or
    their badge has ended. What they may do is what the list says now."""
    people = flow.people
    if not people.actor or people.locked:
        return False
    verdict, hand = people.look(people.actor, flow.clock)
    if verdict != Verdict.OK:
        lock(flow)
        return True
    if hand != people.hand:
        people.hand = hand
        _begin(flow)
    return False


def resume(flow) -> None:
    """This start found a shift open: it goes on, unless the power's going would be a way round its lock."""
    if not check(flow) and flow.actor:
        _begin(flow)
        if flow.rules.lock_s:
            lock(flow)


def replayed(flow, head) -> None:
    """A shift was opened or closed before this start."""
    actor = head.actor if head.action == Action.SHIFT_OPEN else 0
    hand = flow.people.look(actor, flow.clock)[1] if actor else 0
    if actor != flow.actor:
        flow.undo.forget()
    flow.people.open(actor, hand)


def _open(flow, number: int, hand: int) -> "list[Decision]":
    decision = _opening(flow.people, number, Verdict.OK)[0]
    decision.actor = number
    decision.effect = lambda seq: _opened(flow, number, hand)
    return [decision]


def _opened(flow, number: int, hand: int, forgives: bool = False) -> None:
    if forgives:
        flow.people.forgive()
    other = number != flow.actor
    if other:
        flow.undo.forget()
        flow.stale_told = False
        flow.put_off = 0
        flow.rule_shown = 0
    flow.closing = False
    anew = other or hand != flow.people.hand
    flow.people.open(number, hand)
    if anew:
        _begin(flow)
    else:
        flow.clear()


def _begin(flow) -> None:
    """What a mode holds is one person's; the next one goes on in it where they may, else in their first."""
    hand = flow.people.hand
    modes = [mode for mode in [flow.mode] + sorted(MODE_ACTIONS) if flow.rules.may(hand, mode)]
    flow.set_mode(modes[0] if modes else flow.mode)


def _waits(flow) -> bool:
    """Whether a shift may not end yet, for want of receipts."""
    return flow.rules.closes_docked and flow.owner.undocked > 0


def _records_wait(flow) -> Decision:
    decision = told(Action.SHIFT_CLOSE, Verdict.RECORDS_WAIT)
    decision.effect = lambda seq: setattr(flow, "closing", True)
    return decision


def _opening(people, number: int, verdict: int) -> "list[Decision]":
    """A badge was scanned; whose it is proved to be is the record's actor only once the shift is open."""
    decision = told(Action.SHIFT_OPEN, verdict, CodeKind.BADGE)
    decision.actor = people.actor
    decision.parts[Tlv.COUNTERPARTY] = struct.pack(">I", number)
    return [decision]


def _closed(flow, supervisor: bytes) -> Decision:
    decision = told(Action.SHIFT_CLOSE, Verdict.OK)
    if supervisor:
        decision.flags |= Flag.OVERRIDE
        decision.parts[Tlv.SUPERVISOR] = supervisor
    decision.effect = lambda seq: _opened(flow, 0, 0)
    return decision


def _supervised(flow, item, verdict: int, number: int) -> Decision:
    """Why a badge that was asked for does not do, or its PIN that is asked for."""
    if item is not None and item.asked is not None:
        decision = ladder.answered(flow, item, verdict)
    else:
        decision = told(Action.SHIFT_CLOSE, verdict, CodeKind.BADGE)
    decision.code_kind = CodeKind.BADGE
    decision.parts[Tlv.SUPERVISOR] = struct.pack(">I", number)
    return decision


def _rule(number: int, verdict: int) -> Decision:
    decision = told(Action.RULES_ACK, verdict, CodeKind.NONE)
    decision.parts[Tlv.OBJECT] = struct.pack(">BI", ObjectKind.RULES, number)
    decision.secret = True
    return decision
