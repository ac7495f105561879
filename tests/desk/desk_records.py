"""A host-side maker of a terminal's records, for feeding the desk: signs and chains, decides nothing."""

from __future__ import annotations

import base64
from typing import Any

from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba_wire import chain, tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, CodeKind, Flag, Protection, State, Tlv, Verdict

Event = dict[str, Any]


class Scanner:
    """One terminal's key and the end of its chain."""

    def __init__(self, organisation: Organisation, *, now: int, label: str = "Counter 1", place: int = 17) -> None:
        self.key = PrivateKey.generate()
        self.place = place
        self.epoch = 1
        self.certificate = organisation.certify_terminal(
            self.key.public, epoch=1, protection=Protection.OPEN, label=label, now=now
        )
        self.time = now
        self.seq = 0
        self.head = chain.genesis(self.key.public, 1)

    @property
    def id(self) -> str:
        return self.key.id.hex()

    @property
    def enrolment(self) -> dict[str, Any]:
        return {"certificate": base64.b64encode(self.certificate).decode(), "place": self.place}

    def record(
        self,
        action: int,
        verdict: int,
        order: str = "",
        *,
        after: int = State.NONE,
        kind: int = CodeKind.ORDER,
        code: str = "",
        ref: int | None = None,
        flags: int = 1,
        time: int | None = None,
        more: dict[int, bytes] | None = None,
    ) -> Event:
        """The next record, as the event a dock sends. `ref` in place of `order`: the order as an index only. `more`:
        TLVs beside the code and the order."""
        self.seq += 1
        self.time += 5
        parts = dict(more or {})
        if code or order:
            parts[Tlv.CODE] = (code or order).encode()
        if order:
            parts[Tlv.ORDER] = order.encode()
        elif ref is not None and not code:
            kind = CodeKind.KEY
        fields = {
            "action": action,
            "verdict": verdict,
            "flags": flags,
            "epoch": self.epoch,
            "seq": self.seq,
            "terminal": self.key.id,
            "boot": 1,
            "tries": 1,
            "symbology": 1,
            "t_utc": self.time if time is None else time,
            "t_mono_ms": self.seq * 5000,
            "actor": 7,
            "place": self.place,
            "route": 0,
            "rules": 1,
            "code_kind": kind,
            "state_before": State.NONE,
            "state_after": after,
            "order_ref": ref if ref is not None else chain.order_ref(order.encode()) if order else 0,
        }
        head = RecordHead(*(fields[name] for name in RecordHead.FIELDS))
        return self.sign(head.pack() + tlv.pack(parts))

    def sign(self, body: bytes) -> Event:
        """The event for a body, whatever is in it; the chain goes on behind it."""
        previous, self.head = self.head, chain.step(self.head, body)
        head = RecordHead.read(body, 0)
        return {
            "specversion": "1.0",
            "id": f"{self.id}-{head.epoch}-{head.seq}",
            "source": f"urn:plomba:terminal:{self.id}",
            "type": "plomba.record.1",
            "datacontenttype": "application/json",
            "data": {
                "previous": previous.hex(),
                "body": base64.b64encode(body).decode(),
                "signature": base64.b64encode(self.key.sign(self.head)).decode(),
            },
        }

    # what a terminal writes on the way of one parcel

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
