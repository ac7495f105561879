"""Rule packs, really signed, one version after the other, and read back as a start does it.

What is promised: the pack in force is the newest that was installed, or the one under way; it is whole; a newer one
can be installed and an older one cannot.
"""

import json
import random

from packages import DESK_KEY, NOW, ROOT, bundle, offer, signed
from power import main
from small_state import SmallState

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import ObjectKind
from terminal.objects.rules import Rules
from terminal.objects.transfer import Transfer

_PACKS = 14
_packs = {}


def pack(number: int) -> bytes:
    """A bundle; some are longer than a block of flash."""
    if number not in _packs:
        steps = [{"mode": "store", "action": at, "from": [number % 7], "to": 12} for at in range(number * 37 % 70)]
        body = json.dumps({"number": number, "gates": {"1": {"seal": 1}}, "steps": steps}).encode()
        _packs[number] = bundle(signed(ObjectKind.RULES, number, body, DESK_KEY))
    return _packs[number]


class Packs(SmallState):
    NAME = "rules"

    def live(self) -> None:
        for number in range(1, _PACKS):
            if random.getrandbits(1):
                self.save("boot", number.to_bytes(2, "big"))
            self.install(number)
        self.step(self.check)

    def install(self, number: int) -> None:
        if number != self.number():
            self.put("rules", pack(number), lambda: self.taken(number))

    def taken(self, number: int) -> None:
        rules = self.loaded()
        whole = pack(number)
        transfer = Transfer(offer(whole, number, len(whole), ObjectKind.RULES), ROOT, NOW, None)
        transfer.write(0, whole)
        rules.install(transfer)
        if rules.number != number:
            self.wrong("%d in force after %d was installed" % (rules.number, number))

    def loaded(self) -> Rules:
        rules = Rules()
        rules.load(ROOT)
        return rules

    def number(self) -> int:
        held = self.held.get("rules")
        return next(at for at in range(1, _PACKS + 3) if pack(at) == held) if held else 0

    def check(self) -> None:
        super().check()
        number, rules = self.number(), self.loaded()
        if rules.number != number:
            self.wrong("%d in force, not %d" % (rules.number, number))
        if number * 37 % 70 and rules.step("store", 0) != ([number % 7], 12):
            self.wrong("the steps of %d are others" % number)

    def recover(self) -> None:
        self.step(self.check)

    def go_on(self) -> None:
        number = self.number()
        if number:
            try:
                self.step(lambda: self.taken(number))
                self.wrong("%d was taken again" % number)
            except Refusal:
                pass
        self.install(number + 1)
        self.save("boot", bytes(2))
        self.step(self.check)


main(Packs)
