"""What a terminal writes on the way of one parcel."""

from __future__ import annotations

from plomba.testing import scanner
from plomba.testing.scanner import Event
from plomba_wire.vocabulary import Action, CodeKind, Flag, State, Tlv, Verdict

__all__ = ["Event", "Scanner"]


class Scanner(scanner.Scanner):
    """A terminal at a counter."""

    def store(self, order: str) -> Event:
        return self.record(Action.STORE, Verdict.OK, order, after=State.READY)

    def retrieve(self, order: str, verdict: int = Verdict.NEED_SEAL) -> Event:
        return self.record(Action.RETRIEVE, verdict, order, after=State.IDENTIFIED)

    def seal(self, order: str, seal: str, verdict: int = Verdict.SEAL_OK, after: int = State.VERIFIED) -> Event:
        return self.record(Action.SEAL_CHECK, verdict, order, kind=CodeKind.SEAL, code=seal, after=after)

    def hand_out(self, order: str) -> Event:
        return self.record(Action.HANDOUT, Verdict.OK, order, kind=CodeKind.KEY, after=State.DELIVERED)

    def apply(self, order: str, seal: str, after: int = State.NONE) -> Event:
        more = {Tlv.SEAL: seal.encode()}
        return self.record(Action.SEAL_APPLY, Verdict.OK, order, kind=CodeKind.SEAL, code=seal, after=after, more=more)

    def bag_add(self, order: str, bag: str, after: int = State.NONE) -> Event:
        return self.record(Action.BAG_ADD, Verdict.OK, order, after=after, more={Tlv.BAG: bag.encode()})

    def whole(self, action: int, bag: str, after: int = State.NONE, verdict: int = Verdict.OK) -> Event:
        """A record that stands for all that is in the bag."""
        more = {Tlv.BAG: bag.encode()}
        return self.record(action, verdict, kind=CodeKind.BAG, code=f"PLB*SACK*{bag}", after=after, more=more)

    def undo(self, seq: int, order: str = "", after: int = State.NONE, flags: int = 1) -> Event:
        more = {Tlv.REF_SEQ: seq.to_bytes(4, "big")}
        return self.record(
            Action.UNDO, Verdict.OK, order, kind=CodeKind.COMMAND, code="PLB*UNDO", after=after, flags=flags, more=more
        )

    def override(self, order: str, need: int = Verdict.NEED_SEAL) -> Event:
        more = {Tlv.NEED: bytes((need,)), Tlv.SUPERVISOR: (9).to_bytes(4, "big"), Tlv.REASON: b"\0\x15"}
        return self.record(
            Action.OVERRIDE, Verdict.OK, order, kind=CodeKind.BADGE, code="PLB*BADGE*9", after=State.VERIFIED, more=more
        )

    def hand_out_by(self, order: str, override: int) -> Event:
        """A hand-out that goes on record `override`."""
        return self.record(
            Action.HANDOUT,
            Verdict.OK,
            order,
            kind=CodeKind.KEY,
            after=State.DELIVERED,
            flags=Flag.TIME_TRUSTED | Flag.OVERRIDE,
            more={Tlv.REF_SEQ: override.to_bytes(4, "big")},
        )

    def way(self, order: str, seal: str) -> list[Event]:
        """Intake and hand-out of a sealed order."""
        return [self.store(order), self.retrieve(order), self.seal(order, seal), self.hand_out(order)]
