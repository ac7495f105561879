"""A host-side maker of a terminal's records, for feeding the desk: signs and chains, decides nothing."""

from __future__ import annotations

import base64
from typing import Any

from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba_wire import chain, tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import CodeKind, Protection, State, Tlv

Event = dict[str, Any]


class Scanner:
    """One terminal's key and the end of its chain."""

    def __init__(
        self,
        organisation: Organisation,
        *,
        now: int,
        label: str = "Counter 1",
        place: int = 17,
        key: PrivateKey | None = None,
    ) -> None:
        self.key = key or PrivateKey.generate()
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
        before: int = State.NONE,
        after: int = State.NONE,
        kind: int = CodeKind.ORDER,
        code: str = "",
        ref: int | None = None,
        flags: int = 1,
        time: int | None = None,
        actor: int = 7,
        route: int = 0,
        more: dict[int, bytes] | None = None,
    ) -> Event:
        """The next record, as the event a dock sends. `ref` in place of `order`: the order as an index only. `more`:
        TLVs beside the code and the order."""
        self.seq += 1
        self.time += 5
        parts = dict(more or {})
        if code or (order and kind != CodeKind.KEY):
            parts[Tlv.CODE] = (code or order).encode()
        if order:
            parts[Tlv.ORDER] = order.encode()
        elif ref is not None and not code:
            kind = CodeKind.KEY
        fields: dict[str, Any] = {
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
            "actor": actor,
            "place": self.place,
            "route": route,
            "rules": 1,
            "code_kind": kind,
            "state_before": before,
            "state_after": after,
            "order_ref": ref if ref is not None else chain.order_ref(order.encode()) if order else 0,
        }
        head = RecordHead(*(fields[name] for name in RecordHead.FIELDS))
        return self.sign(head.pack() + tlv.pack(parts))

    @property
    def token(self) -> bytes:
        """What its screen shows at a hand-over: the value of the TLV PEER_HEAD (firmware/terminal/work/token.py)."""
        return self.key.id + self.seq.to_bytes(4, "big") + self.head[:8]

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
