"""The ladder for a code that cannot be read: three tries, another carrier of the same identity, typed twice against
what is expected, a supervisor or a remote owner with reason and photo, at its end the hold. Every rung is a record."""

from plomba_wire.vocabulary import Action, CodeKind, Flag, Mode, Tlv, Verdict
from terminal.work import asking, counter, entry, reading, shift, steps
from terminal.work.decision import Decision, about, refused, told

_WRONG_ANSWERS = 3
_PERSISTS = (Verdict.NEED_SEAL, Verdict.NEED_ITEM)


def unreadable(flow, tries: int) -> "Decision | None":
    """Nothing was read `tries` times for the parcel on the counter."""
    item = flow.visit.current
    if item is None:
        return None
    decision = about(Action.UNREADABLE, Verdict.UNREADABLE, CodeKind.NONE, item.parcel, item.parcel.state)
    decision.tries = tries
    need = _need(flow, item)
    if need:
        decision.parts[Tlv.NEED] = bytes((need,))
    return decision


def begin_typing(flow, _: bytes) -> "list[Decision]":
    """The card «набрать код»: where the class allows it, and not more often in a shift than the rules say."""
    item = flow.pointed
    order_class = item.parcel.order_class if item is not None else 0
    verdict = Verdict.NEED_DIGITS
    if not flow.rules.gate(order_class, "typed"):
        verdict = Verdict.NOT_ALLOWED
    elif flow.people.spent.get("typed", 0) >= flow.rules.limit("typed"):
        verdict = Verdict.LIMIT
    if item is None:
        decision = told(Action.UNREADABLE, verdict)
    else:
        decision = about(Action.UNREADABLE, verdict, CodeKind.COMMAND, item.parcel, item.parcel.state)
    if verdict == Verdict.NEED_DIGITS:
        decision.effect = lambda seq: setattr(flow, "entry", entry.Entry(entry.CODE))
    return [decision]


def typed(flow) -> "list[Decision]":
    """What is being typed is whole. Raises people.NotCounted."""
    typing = flow.entry
    if typing.purpose == entry.PIN:
        decisions = shift.proved(flow, typing.text)
    elif typing.purpose == entry.ANSWER:
        decisions = _answer(flow, typing.text)
    elif not typing.again:
        typing.repeat()
        return []
    else:
        flow.entry = None
        decisions = _code(flow, typing)
    for decision in decisions[:1]:
        # The card that brought the last sign is not what was read.
        decision.secret = True
    return decisions


def begin_override(flow) -> Decision:
    """The card «решает старший»: for what cannot be read of a parcel on the counter."""
    item = flow.visit.current
    if item is None or flow.mode != Mode.HANDOUT:
        return refused(Verdict.NO_VISIT, CodeKind.COMMAND)
    step = flow.rules.step(flow.mode, Action.OVERRIDE, item.parcel.state)
    verdict = 0
    if step is None:
        verdict = Verdict.NOT_ALLOWED
    elif flow.people.spent.get("override", 0) >= flow.rules.limit("override"):
        verdict = Verdict.LIMIT
    if verdict:
        return about(Action.OVERRIDE, verdict, CodeKind.COMMAND, item.parcel, item.parcel.state)
    return override(flow, item, step, CodeKind.COMMAND, asking.at_hand(item, Action.OVERRIDE))


def override(flow, item, step, kind: int, got: "dict[int, bytes]") -> Decision:
    """The override with what was gathered for it so far: what it lacks, or done."""
    need = _need(flow, item)
    parcel = item.parcel
    if need not in _PERSISTS:
        # It was read after all.
        return about(Action.OVERRIDE, Verdict.WRONG_STATE, kind, parcel, parcel.state)
    missing = steps.missing(flow.rules, item, Action.OVERRIDE, step, False, got)
    if not missing and flow.people.spent.get("override", 0) >= flow.rules.limit("override"):
        return about(Action.OVERRIDE, Verdict.LIMIT, kind, parcel, parcel.state)
    if not missing and flow.people.spent.get("override", 0) >= flow.rules.limit("override"):
        # Begun when there was one left, for two parcels at once.
        return about(Action.OVERRIDE, Verdict.LIMIT, kind, parcel, parcel.state)
    after = parcel.state if missing else step.to or parcel.state
    decision = about(Action.OVERRIDE, missing or Verdict.OK, kind, parcel, after)
    decision.parts.update(steps.parts(item, got))
    decision.parts[Tlv.NEED] = bytes((need,))
    decision.effect = lambda seq: _decided(flow, item, step, kind, need, got, missing, seq)
    if not missing:
        decision.flags |= Flag.OVERRIDE
    return decision


def call(flow, _: bytes) -> "list[Decision]":
    """The card «звонок»: a remote owner answers a challenge over the phone, where a supervisor is asked for."""
    item = flow.pointed
    if item is None or not steps.asks_for(flow.rules, item, Verdict.NEED_SUPERVISOR):
        return [refused(Verdict.NO_VISIT, CodeKind.COMMAND)]
    challenge = flow.owner.challenge(item.parcel.ref)
    decision = answered(flow, item, Verdict.NEED_ANSWER if challenge else Verdict.NOT_ALLOWED)
    if challenge:
        decision.parts[Tlv.CHALLENGE] = challenge
        decision.effect = lambda seq: _called(flow, challenge)
    return [decision]


def answered(flow, item, verdict: int) -> Decision:
    """What becomes of a supervisor's or an owner's word on what was asked; the step itself waits."""
    decision = about(item.asked[0], verdict, CodeKind.COMMAND, item.parcel, item.parcel.state)
    decision.parts.update(steps.parts(item))
    return decision


def _called(flow, challenge: bytes) -> None:
    flow.entry = entry.Entry(entry.ANSWER)
    flow.challenge = challenge
    flow.wrong_answers = 0


def _answer(flow, text: bytes) -> "list[Decision]":
    item = flow.pointed
    flow.entry = None
    if item is None or item.asked is None:
        return [refused(Verdict.NO_VISIT, CodeKind.TYPED)]
    challenge = flow.challenge
    need = _need(flow, item) if item.asked[0] == Action.OVERRIDE else Verdict.NEED_SUPERVISOR
    expected = flow.owner.answer(item.parcel.id, need, challenge)
    if expected is None:
        return [answered(flow, item, Verdict.NOT_ALLOWED)]
    if expected == text:
        flow.challenge = b""
        return asking.bring(flow, Verdict.NEED_SUPERVISOR, bytes(4) + challenge, CodeKind.TYPED)
    decision = answered(flow, item, Verdict.ANSWER_WRONG)
    decision.parts[Tlv.CHALLENGE] = challenge
    decision.effect = lambda seq: _wrong(flow)
    return [decision]


def _wrong(flow) -> None:
    flow.wrong_answers += 1
    if flow.wrong_answers < _WRONG_ANSWERS:
        flow.entry = entry.Entry(entry.ANSWER)


def _code(flow, typing) -> "list[Decision]":
    if typing.first != typing.text:
        item = flow.pointed
        if item is None:
            decision = told(Action.UNREADABLE, Verdict.DIGITS_DIFFER, CodeKind.TYPED)
        else:
            parcel = item.parcel
            decision = about(Action.UNREADABLE, Verdict.DIGITS_DIFFER, CodeKind.TYPED, parcel, parcel.state)
        return [decision]
    if reading.stale(flow) > 1:
        return [refused(Verdict.STALE_LIST, CodeKind.TYPED)]
    decisions = reading.text(flow, typing.text, 0, True)
    first = decisions[0]
    if first.parcel is not None and not flow.rules.gate(first.parcel.order_class, "typed"):
        parcel = first.parcel
        decisions = [about(Action.UNREADABLE, Verdict.NOT_ALLOWED, CodeKind.TYPED, parcel, parcel.state)]
        first = decisions[0]
    first.flags |= Flag.MANUAL
    first.parts[Tlv.CODE] = typing.text
    effect = first.effect
    first.effect = lambda seq: _spent(flow, first, effect, seq)
    return decisions


def _spent(flow, decision: Decision, effect, seq: int) -> None:
    flow.people.spend("typed")
    if effect is not None:
        effect(seq)
    item = flow.visit.holds(decision.ref)
    if item is not None and decision.verdict in (Verdict.SEAL_OK, Verdict.ITEM_OK):
        item.typed = True


def _decided(flow, item, step, kind: int, need: int, got, missing: int, seq: int) -> None:
    if missing:
        item.asked = (Action.OVERRIDE, step, kind)
        item.got = dict(got)
        flow.point(item)
        return
    item.asked = None
    item.allowed[need] = seq
    flow.people.spend("override")
    item.got = dict(got)
    asking.spent(flow, item, Action.OVERRIDE, step)
    flow.point(item)


def _need(flow, item) -> int:
    """What a hand-out of this parcel lacks first."""
    return counter.lacking(flow, item, item.parcel.state)
