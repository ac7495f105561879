"""What the firmware's own reader finds in packs: one answer for each of (mode, action, state), of (class, action).

Reads bodies in hex, a line each; runs under MicroPython.
"""

import sys

from plomba_wire import vocabulary
from terminal.objects.rules import Pack, Rules


def codes(section) -> "list[int]":
    return sorted(value for name, value in section.__dict__.items() if not name.startswith("_"))


def answer(body: bytes) -> str:
    rules = Rules()
    rules._pack = Pack(body)
    out = []
    for mode in codes(vocabulary.Mode):
        for action in codes(vocabulary.Action):
            for state in codes(vocabulary.State):
                step = rules.step(mode, action, state)
                if step is not None:
                    needs = "+".join([str(need) for need in step.needs])
                    out.append("%d.%d.%d:%d/%d/%d/%s" % (mode, action, state, step.to, step.fail, step.part, needs))
    for order_class in codes(vocabulary.OrderClass):
        for name in ("seal", "item", "siren_s", "typed"):
            out.append("%d %s=%d" % (order_class, name, rules.gate(order_class, name)))
        for action in codes(vocabulary.Action):
            for need in rules.needs(order_class, action):
                out.append("%d.%d+%d" % (order_class, action, need))
    for hand in codes(vocabulary.Hand):
        out.append("hand %d=%s" % (hand, "".join([str(int(rules.may(hand, mode))) for mode in codes(vocabulary.Mode)])))
    pack = rules._pack
    out.append("%d %d %s %s" % (pack.number, pack.begins, sorted(pack.shift.items()), sorted(pack.limits.items())))
    return ";".join(out)


if sys.implementation.name == "micropython":
    for line in sys.stdin:
        print(answer(bytes.fromhex(line.strip())))
