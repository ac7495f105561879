"""What is still missing before a step is done, and what every answer of a person counts for."""

import struct

from plomba_wire.vocabulary import Action, Tlv, Verdict
from terminal.objects.rules import APPLY, INSPECTS

_PARTS = {
    Verdict.NEED_REASON: Tlv.REASON,
    Verdict.NEED_RESULT: Tlv.CONDITION,
    Verdict.NEED_SEAL: Tlv.SEAL,
    Verdict.NEED_ITEM: Tlv.UIN,
    APPLY: Tlv.SEAL,
}


def missing(rules, item, action: int, step, met: bool = False, got: "dict[int, bytes] | None" = None) -> int:
    """The verdict that asks for what a step lacks first, 0 when it lacks nothing.

    `met`: the other party of a hand-over is known. `got` stands in place of what the item has.
    """
    for need in lacks(rules, item, action, step, met, got):
        return Verdict.NEED_SEAL if need == APPLY else need
    return 0


def lacks(rules, item, action: int, step, met: bool = False, got: "dict[int, bytes] | None" = None) -> "list[int]":
    """Every need of a step that nothing was brought for; arguments as of `missing`."""
    held = item.got if got is None else got
    return [
        need
        for need in wanted(rules, item, action, step)
        if need not in held and need not in item.allowed and not (need == Verdict.NEED_ACT and met)
    ]


def asks_for(rules, item, need: int) -> bool:
    """Whether what was asked of an item needs this and does not have it."""
    if item is None or item.asked is None or item.asked[1] is None or need in item.got:
        return False
    return need in wanted(rules, item, item.asked[0], item.asked[1])


def parts(item, got: "dict[int, bytes] | None" = None) -> "dict[int, bytes]":
    """The record parts of what was gathered; `got` stands in place of what the item has."""
    out: "dict[int, bytes]" = {}
    for need, value in (item.got if got is None else got).items():
        if need == Verdict.NEED_PHOTO:
            out[Tlv.PHOTO if len(value) == 16 else Tlv.CAMERA] = value
        elif need == Verdict.NEED_SUPERVISOR:
            out[Tlv.SUPERVISOR] = value[:4]
            if len(value) > 4:
                out[Tlv.CHALLENGE] = value[4:]
        elif need in _PARTS:
            out[_PARTS[need]] = value
    return out


def wanted(rules, item, action: int, step) -> "list[int]":
    """Every need of a step for this parcel, brought or not."""
    return [need for need in _needs(rules, item, action, step) if need != Verdict.NEED_ITEM or item.parcel.numbered]


def is_need(verdict: int) -> bool:
    """Whether a verdict asks for one more thing."""
    return verdict == Verdict.NEED_SEAL or Verdict.NEED_ITEM <= verdict <= Verdict.NEED_ANSWER


def _needs(rules, item, action: int, step) -> "list[int]":
    order_class = item.parcel.order_class
    needs = list(step.needs)
    for need in rules.needs(order_class, action):
        if need not in needs:
            needs.append(need)
    if action == Action.HANDOUT:
        for name, need in (("item", Verdict.NEED_ITEM), ("seal", Verdict.NEED_SEAL)):
            gate = rules.gate(order_class, name)
            if gate > INSPECTS or (gate == INSPECTS and item.inspected):
                needs.append(need)
        if item.typed and rules.gate(order_class, "typed") > 1:
            needs.append(Verdict.NEED_PHOTO)
        if item.inspected and not item.looked:
            needs.append(Verdict.NEED_RESULT)
    return needs


def number(value: int) -> bytes:
    """u16, as a reason has it."""
    return struct.pack(">H", value)
