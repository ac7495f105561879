"""The counter: a parcel is taken from its cell, its seal and its tag are read, and only then it is let go."""

from plomba_wire.vocabulary import Action, CodeKind, Flag, Mode, State, Tlv, Verdict
from terminal.work import asking, codes, steps
from terminal.work.decision import Decision, about, refused
from terminal.work.visit import Item


def retrieve(flow, parcel) -> Decision:
    """A parcel is put on the counter, and what it needs is said."""
    known = flow.visit.holds(parcel.ref)
    if known is not None:
        parcel = known.parcel
    step = flow.rules.step(Mode.HANDOUT, Action.RETRIEVE, parcel.state)
    after = parcel.state
    item = known or Item(parcel, flow.now)
    begun = flow.parcels.inspected(parcel.ref)
    item.inspected, item.looked = begun is not None, bool(begun)
    if flow.elsewhere(parcel):
        verdict = Verdict.KNOWN_NOT_HERE
    elif parcel.state == State.HELD:
        verdict = Verdict.HELD
    elif step is not None:
        after = step.to or after
        verdict = lacking(flow, item, after) or Verdict.CONFIRM
    elif parcel.state in (State.IDENTIFIED, State.VERIFIED):
        verdict = Verdict.REPEAT if known else lacking(flow, item, after) or Verdict.CONFIRM
    else:
        verdict = Verdict.WRONG_STATE
    decision = about(Action.RETRIEVE, verdict, CodeKind.ORDER, parcel, after)
    if verdict == Verdict.REPEAT:
        decision.next = lacking(flow, item, after)
    if verdict in (Verdict.CONFIRM, Verdict.REPEAT) or steps.is_need(verdict):
        decision.effect = lambda seq: _put(flow, item)
    elif verdict in (Verdict.HELD, Verdict.WRONG_STATE):
        decision.effect = lambda seq: flow.point(item)
    return decision


def hand_out(flow) -> "list[Decision]":
    """The OK key: lets go of every parcel on the counter, or says of the first one why not."""
    decisions: "list[Decision]" = []
    items = flow.visit.items
    if items and not flow.rules.may(flow.people.hand, Mode.HANDOUT):
        return [refused(Verdict.NOT_ALLOWED, CodeKind.KEY)]
    for item in items:
        parcel = item.parcel
        step = flow.rules.step(Mode.HANDOUT, Action.HANDOUT, parcel.state)
        missing = Verdict.WRONG_STATE if step is None else steps.missing(flow.rules, item, Action.HANDOUT, step)
        after = parcel.state
        if not missing:
            after = step.part or step.to if item.part else step.to
        decision = about(Action.HANDOUT, missing or Verdict.OK, CodeKind.KEY, parcel, after)
        if missing:
            _ask(decision, item, step, missing)
            return [decision]
        own = steps.wanted(flow.rules, item, Action.HANDOUT, step)
        decision.parts.update(steps.parts(item, {n: item.got[n] for n in item.got if n in _READ or n in own}))
        if item.allowed:
            decision.flags |= Flag.OVERRIDE
            newest = max(item.allowed.values())
            decision.parts[Tlv.REF_SEQ] = newest.to_bytes(4, "big")
        if item.typed:
            decision.flags |= Flag.MANUAL
        decision.count = (len(decisions) + 1, len(items))
        decisions.append(decision)
    return decisions


def tag(flow, number: bytes, owner: int) -> "list[Decision]":
    """The number on a tag: the item's own, or another's."""
    current = flow.visit.current
    packing = current is not None and steps.asks_for(flow.rules, current, Verdict.NEED_ITEM)
    if current is None or not (packing or flow.mode == Mode.HANDOUT):
        return [refused(Verdict.NO_VISIT, CodeKind.UIN)]
    item = flow.visit.holds(owner)
    # At packing, without a list, a tag that nobody knows is the one that is bound here.
    fresh = packing and not owner and not flow.parcels.listed
    known = item is not None or fresh
    item = item or current
    action = Action.INSPECT if known else Action.MISMATCH
    verdict = Verdict.WRONG_ITEM if not known else Verdict.OK if fresh else Verdict.ITEM_OK
    decision = about(action, verdict, CodeKind.UIN, item.parcel, item.parcel.state)
    packed = codes.packed_digits(number)
    decision.parts[Tlv.UIN] = packed
    if not known:
        return [decision]
    decision.effect = lambda seq: item.got.update({Verdict.NEED_ITEM: packed})
    if not packing or item is not current:
        decision.next = lacking(flow, item, item.parcel.state, Verdict.NEED_ITEM, packed)
        return [decision]
    asked, step, kind = item.asked
    got = dict(item.got)
    got[Verdict.NEED_ITEM] = packed
    missing = steps.missing(flow.rules, item, asked, step, False, got)
    if missing:
        decision.next = missing
        return [decision]
    return [decision, asking.go_on(flow, item, asked, step, kind, got)]


def part(flow, item, count: int) -> Decision:
    """The customer takes some of the goods and refuses `count` of them; the hand-out that follows is of a part."""
    parcel = item.parcel
    if not 0 < count < 100:
        return refused(Verdict.REFUSED_CODE, CodeKind.COMMAND)
    step = flow.rules.step(Mode.HANDOUT, Action.HANDOUT, parcel.state)
    if step is None or not step.part or flow.visit.holds(parcel.ref) is not item:
        return about(Action.REFUSE, Verdict.WRONG_STATE, CodeKind.COMMAND, parcel, parcel.state)
    decision = about(Action.REFUSE, Verdict.OK, CodeKind.COMMAND, parcel, parcel.state)
    decision.parts[Tlv.QUANTITY] = steps.number(count)
    decision.next = lacking(flow, item, parcel.state) or Verdict.CONFIRM
    decision.effect = lambda seq: setattr(item, "part", count)
    return decision


def wants_seal(flow, item) -> bool:
    """Whether a parcel on the counter waits for its seal."""
    return item is not None and flow.mode == Mode.HANDOUT and owes_seal(flow, item)


def owes_seal(flow, item) -> bool:
    """Whether a parcel that was taken from its cell cannot be let go because its seal was not read."""
    if item.seal:
        return False
    step = flow.rules.step(Mode.HANDOUT, Action.HANDOUT, item.parcel.state)
    return step is not None and Verdict.NEED_SEAL in steps.lacks(flow.rules, item, Action.HANDOUT, step)


def nearer(flow, item, step, kind: int, got: "dict[int, bytes]") -> Decision:
    """Something that a hand-out was refused for is there: what it still lacks, or that OK lets it go."""
    missing = steps.missing(flow.rules, item, Action.HANDOUT, step, False, got)
    decision = about(Action.HANDOUT, missing or Verdict.CONFIRM, kind, item.parcel, item.parcel.state)
    decision.parts.update(steps.parts(item, got))
    decision.effect = lambda seq: setattr(item, "got", got)
    return decision


def lacking(flow, item, state: int, need: int = 0, value: bytes = b"", looked: bool = False) -> int:
    """The verdict that asks for what a hand-out from `state` lacks first, once `need` is there; 0 = nothing.

    `looked`: the inspection that was asked for is over.
    """
    step = flow.rules.step(Mode.HANDOUT, Action.HANDOUT, state)
    if step is None:
        return 0
    got = dict(item.got)
    if need:
        got[need] = value
    before = item.looked
    item.looked = before or looked
    missing = steps.missing(flow.rules, item, Action.HANDOUT, step, False, got)
    item.looked = before
    return missing


def overdue(flow, now: int) -> "Decision | None":
    """A parcel was taken from its cell, and its seal was not read in time."""
    for item in flow.visit.items + flow.left:
        patience = flow.rules.gate(item.parcel.order_class, "siren_s") * 1000
        if patience and item.waits and now - item.since >= patience and owes_seal(flow, item):
            item.waits = False
            return about(Action.NOTE, Verdict.LEFT_UNSCANNED, CodeKind.NONE, item.parcel, item.parcel.state)
    return None


def _ask(decision: Decision, item, step, missing: int) -> None:
    """A card or a badge that a hand-out lacks goes on with it; a seal and a tag are read anyway."""
    if step is not None and missing not in (Verdict.NEED_SEAL, Verdict.NEED_ITEM):
        decision.effect = lambda seq: setattr(item, "asked", (Action.HANDOUT, step, CodeKind.KEY))


def _put(flow, item) -> None:
    for left in [left for left in flow.left if left.parcel.ref == item.parcel.ref]:
        # Scanned once more, it has waited no less.
        item.since, item.waits = left.since, left.waits
        flow.left.remove(left)
    flow.visit.add(item)
    flow.point(item)


_READ = (Verdict.NEED_SEAL, Verdict.NEED_ITEM, Verdict.NEED_PHOTO)
