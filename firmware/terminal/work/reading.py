"""What a text means that is no card: a parcel, a seal, the tag of an item, or nothing that anybody knows."""

from plomba_wire.vocabulary import MODE_ACTIONS, Action, CodeKind, Mode, Symbology, Verdict
from terminal.work import asking, codes, counter, route, seals, steps
from terminal.work.decision import ORDER_MAX, Decision, refused, told


def text(flow, code: bytes, symbology: int, typed: bool = False) -> "list[Decision]":
    """`typed`: by hand, so that it counts only where it is what was expected."""
    if code.startswith(seals.PREFIX):
        verdict, name = flow.seals.check(code)
        if verdict != Verdict.OK:
            return [seals.rejected(flow, verdict, name)]
        return seals.read(flow, name, flow.parcels.owner(name), True)
    item = flow.visit.current
    identities = codes.identities(code, symbology)
    number = _number(code, symbology, typed)
    wanted = number is not None and steps.asks_for(flow.rules, item, Verdict.NEED_ITEM)
    if symbology == Symbology.QR and seals.binding(flow, item) and not wanted:
        return seals.bind(flow, code, identities)
    found = flow.parcels.find(identities)
    if found is not None:
        return [_parcel(flow, found)]
    owner = flow.parcels.owner(code) if len(code) <= seals.LENGTH_MAX else 0
    if owner:
        return seals.read(flow, code, owner, False)
    if number is not None:
        owner = flow.parcels.item_owner(number)
        if owner or wanted:
            return counter.tag(flow, number, owner)
    fault = codes.fault(code, symbology)
    if fault:
        return [refused(fault, CodeKind.UNKNOWN)]
    if typed:
        # What nobody expects cannot be checked, so it proves nothing.
        return [refused(Verdict.UNKNOWN, CodeKind.TYPED)]
    if flow.mode == Mode.PACK and seals.binding(flow, item) and len(code) <= seals.LENGTH_MAX:
        return seals.bind(flow, code, identities)
    origin = flow.rules.origin(flow.mode, MODE_ACTIONS[flow.mode])
    if flow.mode != Mode.HANDOUT and not flow.parcels.listed and len(code) <= ORDER_MAX and origin:
        return [_parcel(flow, flow.parcels.fresh(code, origin))]
    seal_like = symbology == Symbology.QR and number is None and len(code) <= seals.LENGTH_MAX
    if seal_like and counter.wants_seal(flow, item):
        return seals.read(flow, code, 0, False)
    return [refused(Verdict.UNKNOWN, CodeKind.UNKNOWN)]


def stale(flow) -> int:
    """How the rules take the age of the list: 0 = not at all, 1 = it has to be noted, 2 = nothing goes by it."""
    how = flow.rules.limit("stale")
    made = flow.parcels.made
    if not how or not made or not flow.clock.trusted or flow.clock.utc() - made <= flow.rules.limit("stale_s"):
        return 0
    return 0 if how == 1 and flow.stale_told else how


def stale_note(flow) -> Decision:
    """That the list is old, once a shift."""
    note = told(Action.NOTE, Verdict.STALE_LIST, CodeKind.NONE)
    note.effect = lambda seq: setattr(flow, "stale_told", True)
    return note


def _parcel(flow, parcel) -> Decision:
    if not flow.rules.may(flow.people.hand, flow.mode):
        return refused(Verdict.NOT_ALLOWED, CodeKind.ORDER)
    if flow.late[0]:
        return route.late_entry(flow, parcel)
    if flow.mode == Mode.HANDOUT:
        return counter.retrieve(flow, parcel)
    if flow.mode == Mode.ROUTE and not flow.routes.number:
        return refused(Verdict.NO_ROUTE, CodeKind.ORDER)
    if flow.mode == Mode.BAG and not flow.bag:
        return refused(Verdict.NO_BAG, CodeKind.ORDER)
    decision = asking.begin(flow, parcel, MODE_ACTIONS[flow.mode], CodeKind.ORDER)
    if decision.verdict == Verdict.OK and decision.after == parcel.state and flow.handover.has(parcel.ref):
        decision.verdict = Verdict.REPEAT
    return decision


def _number(code: bytes, symbology: int, typed: bool) -> "bytes | None":
    """The item number in a tag, or in what was typed."""
    if typed:
        return code if codes.is_item_number(code) else None
    return codes.item_number(code, symbology)
