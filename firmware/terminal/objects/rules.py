"""The rule pack in force: which step may follow which, and what a class of goods needs before it is let go.

Its body is JSON with the vocabulary's numbers; `plomba rules` makes it from TOML:
{"number":1,"gates":{"1":{"seal":1}},"steps":[{"mode":"store","action":36,"from":[11],"to":12}, ...], "title":{...}}
"""

import json

from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal import files
from terminal.objects import signed
from terminal.objects.transfer import Transfer


class Rules:
    """`number` is 0 while there are none. `damaged`: the stored pack does not verify."""

    def __init__(self) -> None:
        self.number = 0
        self.damaged = False
        self.needs_shift = False
        self._steps: "dict[tuple[str, int], tuple[list[int], int]]" = {}
        self._gates: "dict[int, dict]" = {}

    def load(self, roots: bytes) -> None:
        """Takes the stored pack if it verifies; dates and revocations count only when it arrives."""
        bundle = files.load("rules")
        if bundle is not None:
            try:
                self._apply(_read(signed.open_bundle(bundle, ObjectKind.RULES, roots, 0)))
            except Refusal:
                self.number = 0
                self.damaged = True

    def install(self, transfer: Transfer) -> None:
        """Puts a pack that was verified as it came in force. Raises Refusal, OSError."""
        if transfer.offer[1] <= self.number:
            raise Refusal(Error.ROLLBACK, self.number)
        pack = _read((transfer.envelope, transfer.body))
        # Durable first: a pack that flash did not take is not in force, and may come again.
        files.save("rules", transfer.bundle)
        self._apply(pack)

    def step(self, mode: str, action: int) -> "tuple[list[int], int] | None":
        """States an action may start from and the state it ends in, or None when the mode does not know it."""
        return self._steps.get((mode, action))

    def needs_seal(self, order_class: int) -> bool:
        """Whether this class is let go only after its seal was read. A class the pack does not name needs it."""
        gate = self._gates.get(order_class)
        return gate is None or bool(gate.get("seal"))

    def siren_s(self, order_class: int) -> int:
        """Seconds after which a parcel that waits for its seal sounds; 0 = never."""
        gate = self._gates.get(order_class)
        return int(gate.get("siren_s", 0)) if gate else 0

    def _apply(self, pack) -> None:
        self._steps, self._gates, self.needs_shift, self.number = pack
        self.damaged = False


def _read(opened) -> "tuple[dict, dict, bool, int]":
    """Steps, gates, whether a shift is needed, number. Raises Refusal."""
    envelope, body = opened
    try:
        pack = json.loads(body)
        steps = {(s["mode"], s["action"]): (list(s["from"]), int(s["to"])) for s in pack["steps"]}
        gates = {int(name): dict(gate) for name, gate in pack["gates"].items()}
        if pack["number"] != envelope.version:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(Error.MALFORMED)
    return steps, gates, bool(pack.get("shift")), envelope.version
