"""What a terminal writes on the way of one parcel."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from plomba.testing import scanner
from plomba.testing.scanner import Event
from plomba_wire.vocabulary import Action, CodeKind, Flag, State, Tlv, Verdict

__all__ = ["WRONG", "Event", "Scanner", "any_record"]

WRONG = (
    *(Verdict.WRONG_SEAL, Verdict.SEAL_FORGED, Verdict.SEAL_STRANGER, Verdict.SEAL_NOT_ISSUED),
    *(Verdict.SEAL_USED, Verdict.SEAL_VOID, Verdict.SEAL_REVOKED),
)
"""What a terminal says of a seal that is not the order's, or none."""

_PACKER = (Action.INTAKE_CHECK, Action.PICK, Action.PACK)
_PACKED = (State.NONE, State.NEED_DATA, State.ACCEPTED, State.PICKED, State.PACKED)


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

    def whole(self, action: int, bag: str, after: int = State.NONE, verdict: int = Verdict.OK, actor: int = 7) -> Event:
        """A record that stands for all that is in the bag."""
        more = {Tlv.BAG: bag.encode()}
        code = f"PLB*SACK*{bag}"
        return self.record(action, verdict, kind=CodeKind.BAG, code=code, after=after, more=more, actor=actor)

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

    def refuse_part(self, order: str) -> Event:
        return self.record(Action.REFUSE, Verdict.OK, order, after=State.VERIFIED, more={Tlv.QUANTITY: b"\0\2"})

    def met(self, other: Scanner) -> dict[int, bytes]:
        """What a record of a hand-over with `other` says beside the rest."""
        return {Tlv.PEER_HEAD: other.token}

    def way(self, order: str, seal: str) -> list[Event]:
        """Intake and hand-out of a sealed order."""
        return [self.store(order), self.retrieve(order), self.seal(order, seal), self.hand_out(order)]


def any_record(scanner: Scanner, others: Sequence[Scanner], chance: random.Random) -> Event:
    """A record of the kind a terminal makes; most of them where the lifecycle has no place for it."""
    order, bag = chance.choice("ABCDE"), chance.choice(("B-1", "B-2"))
    seal = chance.choice(("S1", "S2", "S3", "S4"))
    back = max(1, scanner.seq - chance.randrange(4))
    found = {Tlv.CONDITION: bytes((chance.choice((1, 7)),))} if chance.random() < 0.5 else {}
    peer = chance.choice(others)
    named = scanner.met(peer)
    after = chance.choice((State.NONE, State.HANDING, State.WITH_COURIER, State.AT_POINT, State.READY, State.VERIFIED))
    plain = (Action.STAGE, Action.HANDOVER_OUT, Action.HANDOVER_IN, Action.ROUTE_START, Action.ARRIVE, Action.STORE)
    plain += (Action.REFUSE, Action.HOLD, Action.RELEASE, Action.SEAL_BREAK, Action.RETURN_OPEN, Action.RETURN_IN)
    makers: list[Callable[[], Event]] = [
        lambda: scanner.record(chance.choice(plain), Verdict.OK, order, after=after),
        lambda: scanner.record(Action.HANDOVER_IN, Verdict.OK, order, after=State.AT_POINT, more=named),
        lambda: scanner.record(Action.HANDOVER_OUT, Verdict.OK, order, after=State.HANDING, more=named),
        lambda: scanner.record(Action.HANDOVER_IN, Verdict.OK, order, after=State.WITH_COURIER, more=named),
        lambda: scanner.record(Action.HANDOVER_OUT, Verdict.OK, order, after=State.HANDING, more={Tlv.ACT: b"12"}),
        lambda: scanner.record(chance.choice(plain), Verdict.OK, order, after=after, flags=0),
        lambda: scanner.record(chance.choice((Action.DAMAGE, Action.MISSING)), Verdict.OK, order),
        lambda: scanner.record(chance.choice(_PACKER), Verdict.OK, order, after=chance.choice(_PACKED), more=found),
        lambda: scanner.record(Action.LATE_ENTRY, Verdict.OK, order, more={Tlv.LATE: bytes((Action.STORE, 0, 9))}),
        lambda: scanner.record(Action.INTAKE_DEFER, Verdict.OK, more={Tlv.QUANTITY: b"\0\1", **named}),
        lambda: scanner.store(order),
        lambda: scanner.retrieve(order),
        lambda: scanner.seal(order, seal),
        lambda: scanner.seal(order, seal, Verdict.SEAL_READ),
        lambda: scanner.seal(order, seal, chance.choice(WRONG), State.NONE),
        lambda: scanner.hand_out(order),
        lambda: scanner.override(order),
        lambda: scanner.hand_out_by(order, back),
        lambda: scanner.refuse_part(order),
        lambda: scanner.record(Action.HANDOUT, Verdict.OK, order, after=State.PART_DELIVERED),
        lambda: scanner.apply(order, seal),
        lambda: scanner.bag_add(order, bag),
        lambda: scanner.whole(Action.HANDOVER_OUT, bag, State.HANDING),
        lambda: scanner.whole(Action.ROUTE_START, bag, State.ON_ROUTE),
        lambda: scanner.record(Action.ROUTE_START, Verdict.OK, order, after=State.ON_ROUTE),
        lambda: scanner.record(Action.ROUTE_CLOSE, Verdict.OK),
        lambda: scanner.whole(Action.HANDOVER_IN, bag, chance.choice((State.AT_POINT, State.WITH_COURIER)), actor=8),
        lambda: scanner.undo(back, chance.choice((order, ""))),
        lambda: scanner.undo(back, order, flags=Flag.TIME_TRUSTED | Flag.OVERRIDE),
    ]
    return chance.choice(makers)()
