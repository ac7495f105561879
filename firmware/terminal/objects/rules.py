"""The rule pack in force, and the one that waits for its date.

The body is JSON with the vocabulary's numbers; `plomba rules` makes it from TOML (docs/rules.md has its form). A pack
is in force from the moment it names, by a trusted clock, and never before: when it arrived does not count. A clock that
is not set decides nothing, so what was in force stays.
"""

import json

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal import files
from terminal.objects import newest
from terminal.objects.transfer import Transfer

_FILE = "rules"
_WAITING = "rules_next"
NEVER, INSPECTS, ALWAYS = range(3)
"""When a gate of a class holds: not at all, when the customer inspects, whatever happens."""
APPLY = 0x67
"""The need of a seal that is bound, beside those that are verdicts."""
_UNNAMED = {"seal": ALWAYS}


class Step:
    """What an action does from some states. `origins` empty = any; `to` 0 = the state stays; `fail` where a failed
    inspection leads and `part` a hand-out of a part, 0 = nowhere else; `needs` in the order they are asked for."""

    def __init__(self, row) -> None:
        self.origins: "tuple[int, ...]" = tuple(row["f"])
        self.to = int(row["t"])
        self.fail = int(row["x"])
        self.part = int(row["p"])
        self.needs: "tuple[int, ...]" = tuple(row["n"])


class Pack:
    """One pack, read. Raises KeyError, TypeError, ValueError, AttributeError."""

    def __init__(self, body: bytes) -> None:
        data = json.loads(body)
        self.number = int(data["number"])
        self.begins = int(data["from"])
        self.news = dict(data.get("news") or {})
        self.shift = {name: int(data["shift"][name]) for name in ("badge", "pin", "close", "lock_s")}
        self.limits = {name: int(data["limits"][name]) for name in ("tries", "override", "typed", "stale_s", "stale")}
        self.classes = {int(name): dict(gate) for name, gate in data["classes"].items()}
        self.hands = {int(name): tuple(modes) for name, modes in data["hands"].items()}
        self.steps: "dict[int, list[Step]]" = {}
        for row in data["steps"]:
            self.steps.setdefault(row["m"] << 8 | row["a"], []).append(Step(row))


_NOTHING = Pack(
    b'{"number":0,"from":0,"shift":{"badge":0,"pin":0,"close":0,"lock_s":0},"classes":{},"hands":{},"steps":[],'
    b'"limits":{"tries":3,"override":0,"typed":0,"stale_s":0,"stale":0}}'
)


class Rules:
    """`number` is that of the pack in force, 0 while there is none; `newest` that of the last one that came.

    `damaged`: a stored pack does not verify, or the newest one is gone. Where nobody can tell what was in force,
    nothing is.
    """

    def __init__(self) -> None:
        self.damaged = False
        self._pack = _NOTHING
        self.waiting: "Pack | None" = None

    @property
    def number(self) -> int:
        return self._pack.number

    @property
    def newest(self) -> int:
        return self.waiting.number if self.waiting is not None else self.number

    def load(self, roots: bytes, least: int = 0) -> None:
        """Takes what is stored if it verifies; an object's dates and revocations count only when it arrives. `least` is
        the number of the last pack that came."""
        self._pack = self._stored(_FILE, roots) or _NOTHING
        waiting = self._stored(_WAITING, roots)
        # The power may have gone between the two writes by which a pack takes force.
        self.waiting = waiting if waiting is not None and waiting.number > self.number else None
        if self.newest < least:
            if not self.damaged:
                self._pack = _NOTHING
            self.waiting = None
            self.damaged = True

    def install(self, transfer: Transfer, utc: int) -> None:
        """Puts a pack that was verified as it came in force, or lets it wait. `utc` is 0 while the clock is not set.

        Raises Refusal, OSError.
        """
        if transfer.offer[1] <= self.newest:
            raise Refusal(Error.ROLLBACK, self.newest)
        pack = _read(transfer.body)
        if pack.number != transfer.offer[1]:
            raise Refusal(Error.MALFORMED)
        # Durable first: a pack that flash did not take is not in force, and may come again.
        if pack.begins > utc and (utc or self.number):
            # Only one waits: what is due is not lost by one that came before the next tick.
            self.turn(utc)
            files.save(_WAITING, transfer.bundle)
            self.waiting = pack
        else:
            files.save(_FILE, transfer.bundle)
            self._pack = pack
            self.waiting = None
        self.damaged = False

    def turn(self, utc: int) -> bool:
        """Whether the waiting pack took force at this moment. Raises OSError."""
        waiting = self.waiting
        if waiting is None or not utc or utc < waiting.begins:
            return False
        bundle = files.load(_WAITING)
        if bundle is not None:
            files.save(_FILE, bundle)
        self._pack = waiting
        self.waiting = None
        self.damaged = False
        return True

    @property
    def needs_badge(self) -> bool:
        return bool(self._pack.shift["badge"])

    @property
    def wants_pin(self) -> bool:
        return bool(self._pack.shift["pin"])

    @property
    def closes_docked(self) -> bool:
        """Whether a shift ends only when every record has its receipt, or by a supervisor."""
        return bool(self._pack.shift["close"])

    @property
    def lock_s(self) -> int:
        """Seconds without a scan or a key after which the badge is asked for again; 0 = never."""
        return self._pack.shift["lock_s"]

    def limit(self, name: str) -> int:
        """tries, override, typed, stale_s or stale, as docs/rules.md has them."""
        return self._pack.limits[name]

    def news(self, number: int) -> "dict[str, str]":
        """Language -> what a pack changed, of the one in force or the one that waits; {} = nobody has to read it."""
        for pack in (self._pack, self.waiting):
            if pack is not None and pack.number == number:
                return pack.news
        return {}

    def step(self, mode: int, action: int, state: int) -> "Step | None":
        """What an action does from a state, or None where it is not to be done."""
        for step in self._rows(mode, action):
            if not step.origins or state in step.origins:
                return step
        return None

    def leads(self, mode: int, action: int, state: int) -> bool:
        """Whether an action ends in a state: then it was done already."""
        return any(step.to == state for step in self._rows(mode, action))

    def origin(self, mode: int, action: int) -> int:
        """A state that an action may start from; 0 when it knows none."""
        for step in self._rows(mode, action):
            if step.origins:
                return step.origins[0]
        return 0

    def may(self, hand: int, mode: int) -> bool:
        """Whether a hand may use a mode. One that the pack does not name may use all."""
        modes = self._pack.hands.get(hand)
        return modes is None or mode in modes

    def gate(self, order_class: int, name: str) -> int:
        """`seal`, `item`, `siren_s` or `typed` of a class. A class the pack does not name needs its seal."""
        return int(self._pack.classes.get(order_class, _UNNAMED).get(name, 0))

    def needs(self, order_class: int, action: int) -> "tuple[int, ...]":
        """What a class needs for an action beyond the step's own."""
        needs = self._pack.classes.get(order_class, _UNNAMED).get("needs")
        return tuple(needs.get(str(action), ())) if needs else ()

    def _rows(self, mode: int, action: int) -> "list[Step]":
        steps = self._pack.steps
        return steps.get(mode << 8 | action) or steps.get(action) or []

    def _stored(self, name: str, roots: bytes) -> "Pack | None":
        try:
            found = newest.stored(name, ObjectKind.RULES, roots, 0)
            if found is None:
                return None
            pack = _read(found[1])
            if pack.number != found[0].version:
                raise Refusal(Error.MALFORMED)
        except Refusal:
            self.damaged = True
            return None
        return pack


def _read(body: bytes) -> Pack:
    """Raises Refusal."""
    try:
        return Pack(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(Error.MALFORMED)
