"""Rule packs, really signed: in force at once, or waiting for their date, and read back as a start does it.

What is promised: in force is the newest pack whose moment had come, or the one under way, and it is whole; it never
goes back. A pack that waits takes force at its moment by the clock, never before and after no cut later; a newer one
takes its place, but not before what was due. None that is not newer is taken.
"""

import json
import random

from packages import DESK_KEY, ROOT, bundle, offer, signed
from power import main
from small_state import SmallState

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Action, Mode, ObjectKind, State
from terminal import files
from terminal.objects.newest import Newest
from terminal.objects.rules import Rules
from terminal.objects.transfer import Transfer

_PACKS = 14
_BORN = 1_800_000_000
_PERIOD = 1000
_LATER = 500
_EARLY, _AT_ONCE, _LATE, _AWAY = range(4)
"""How a pack comes: before its moment; when that is past; and what waits takes force, or the terminal was off then."""
_packs = {}


def begins(number: int) -> int:
    """The moment of a pack; every fifth one names none."""
    return _BORN + number * _PERIOD if number % 5 else 0


def pack(number: int) -> bytes:
    """A bundle; every third one is longer than half a block of flash, and some than a whole one."""
    if number not in _packs:
        rows = 3 if number % 3 else 50 + number * 13 % 60
        steps = [_step(Action.STORE, number % 7 + 1)] + [_step(at % 50 + 100, at) for at in range(1, rows)]
        body = json.dumps(
            {
                "number": number,
                "from": begins(number),
                "shift": {"badge": 1, "pin": 1, "close": 0, "lock_s": number},
                "limits": {"tries": 3, "override": 2, "typed": 5, "stale_s": 0, "stale": 0},
                "classes": {"1": {"seal": 0, "item": 0, "typed": 1}},
                "hands": {"1": [Mode.STORE]},
                "steps": steps,
            }
        )
        _packs[number] = bundle(signed(ObjectKind.RULES, number, body.encode(), DESK_KEY))
    return _packs[number]


def _step(action: int, origin: int):
    return {"m": Mode.STORE, "a": action, "f": [origin], "t": State.READY, "x": 0, "p": 0, "n": []}


class Packs(SmallState):
    """`path` is the (in force, waiting) that was promised, and behind it those it becomes by the step under way; `utc`
    the clock, once it is set; 0 = no pack."""

    NAME = "rules"
    FILES = 12
    BLOCKS = 12

    def begin(self) -> None:
        super().begin()
        self.path = [(0, 0)]
        self.utc = _BORN

    def fork(self, child) -> None:
        super().fork(child)
        child.path = list(self.path)
        child.utc = self.utc

    def live(self) -> None:
        for number in range(1, _PACKS):
            if random.getrandbits(1):
                self.save("boot", number.to_bytes(2, "big"))
            self.come(number, random.getrandbits(8) % 4)
        self.step(self.check)

    def come(self, number: int, how: int) -> None:
        """Pack `number`, at its moment or half a period away from it."""
        due = _BORN + number * _PERIOD
        self.utc = max(self.utc, due - _LATER if how != _AT_ONCE else due)
        if how == _LATE:
            # In one start: it comes, waits, and takes force.
            came, self.utc = self.utc, max(self.utc, due)
            path = self.arrived(number, came)
            path = path if path[-1][0] == number else path + [(number, 0)]
            self.write(lambda: self.both(number, came), path)
            return
        self.install(number)
        self.turn()
        if how == _EARLY:
            for moment in (due - 1, due):
                self.utc = max(self.utc, moment)
                self.turn()

    def install(self, number: int) -> None:
        self.write(lambda: self.taken(self.loaded(), number, self.utc), self.arrived(number, self.utc))

    def turn(self) -> None:
        """A start, and a moment of it: first the clock is not set, then it is."""
        held = self.path[0]
        due = held[1] > 0 and begins(held[1]) <= self.utc
        self.write(lambda: self.turned(self.loaded(), due), [held, (held[1], 0)] if due else [held])

    def arrived(self, number: int, utc: int):
        """What the packs become by this one's coming at a moment."""
        in_force, waiting = self.path[0]
        if begins(number) <= utc:
            return [(in_force, waiting), (number, 0)]
        if waiting and begins(waiting) <= utc:
            return [(in_force, waiting), (waiting, 0), (waiting, number)]
        return [(in_force, waiting), (in_force, number)]

    def write(self, act, path) -> None:
        """act() saves packs; where it fails those of before may have stayed."""
        self.path = path
        try:
            self.step(act)
            self.path = path[-1:]
        except OSError as error:
            self.refused(error)
        self.step(self.check)

    def both(self, number: int, came: int) -> None:
        rules = self.loaded()
        self.taken(rules, number, came)
        self.turned(rules, begins(number) > came)

    def taken(self, rules: Rules, number: int, utc: int) -> None:
        whole = pack(number)
        transfer = Transfer(offer(whole, number, len(whole), ObjectKind.RULES), ROOT, utc, None)
        transfer.write(0, whole)
        rules.install(transfer, utc)
        Newest().rise(ObjectKind.RULES, rules.newest)
        if rules.newest != number:
            self.wrong("%d is the newest after %d came" % (rules.newest, number))

    def turned(self, rules: Rules, due: bool) -> None:
        found = rules.number, rules.newest
        if rules.turn(0) or (rules.number, rules.newest) != found:
            self.wrong("a clock that is not set turned %s" % (found,))
        try:
            if rules.turn(self.utc) != due:
                self.wrong("%s %s at %d" % (found, "did not turn" if due else "turned", self.utc - _BORN))
        except OSError:
            if (rules.number, rules.newest) != found:
                self.wrong("%s is not on flash and in force" % (found,))
            raise

    def loaded(self) -> Rules:
        rules = Rules()
        rules.load(ROOT, Newest().held(ObjectKind.RULES))
        return rules

    def check(self) -> None:
        super().check()
        rules = self.loaded()
        number = rules.number
        waiting = rules.newest if rules.newest != number else 0
        if (number, waiting) not in self.path or rules.damaged:
            self.wrong("%s, not %s%s" % ((number, waiting), self.path, " and damaged" if rules.damaged else ""))
        self.path = [(number, waiting)]
        if begins(number) > self.utc:
            self.wrong("%d is in force before its date" % number)
        for name, held in (("rules", number), ("rules_next", waiting)):
            if held and files.load(name) != pack(held):
                self.wrong("%d is not whole" % held)
        if number and (rules.lock_s, rules.step(Mode.STORE, Action.STORE, number % 7 + 1) is None) != (number, False):
            self.wrong("the rules of %d are others" % number)

    def recover(self) -> None:
        self.step(self.check)
        self.turn()

    def go_on(self) -> None:
        """What is held, in force or waiting, is not taken again; the next one is, waits, and takes force."""
        newest = max(self.path[0])
        for number in (newest, newest - 1):
            if number > 0:
                self.refuses(number)
        self.come(newest + 1, self.cut[1] % 4)
        self.save("boot", bytes(2))
        self.utc = max(self.utc, begins(newest + 1))
        self.turn()

    def refuses(self, number: int) -> None:
        try:
            self.step(lambda: self.taken(self.loaded(), number, self.utc))
        except Refusal:
            return
        self.wrong("%d was taken again" % number)


main(Packs)
