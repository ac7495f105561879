"""What the terminal knows of parcels and seals: the manifest, and over it what it saw itself since.

Without a manifest, as beside a marketplace's own app, what was read at intake is all there is. All of it comes back
from the journal after a restart; of records that were freed since, only the manifest knows. So a parcel is forgotten
with the newest of its records. When each one was kept for ever, 11,000 scans left no heap (seen on the bench).
"""

from micropython import const

from plomba_wire import chain
from plomba_wire.vocabulary import Action, CodeKind, OrderClass, State, Tlv, Verdict

_VOID = 0x01
_STATE = const(0xFF)
_SEQ_AT = const(8)


class Parcel:
    """One parcel as it stands now. `bound` says whether any seal is known to belong to it."""

    def __init__(self, ref: int, id: bytes, order_class: int, state: int, here: bool, bound: bool, cell: bytes) -> None:
        self.ref = ref
        self.id = id
        self.order_class = order_class
        self.state = state
        self.here = here
        self.bound = bound
        self.cell = cell


class Parcels:
    """Keyed by an order's ref. Seals are kept as tags of 8 bytes."""

    def __init__(self, manifest) -> None:
        self._manifest = manifest
        self.forget()

    def forget(self) -> None:
        """Back to what the manifest says."""
        # Newest record above, state below; state 0 is that of the manifest. One int, since a pair takes twice the heap.
        self._steps: dict[int, int] = {}
        self._sealed: "set[int]" = set()
        self._seen: "dict[int, bytes]" = {}
        self._seals: dict[bytes, int] = {}
        self._used: dict[bytes, int] = {}
        self._first_seq = 0

    def forget_before(self, first_seq: int) -> None:
        """The records before `first_seq` were freed; so are the parcels that have none but those."""
        if first_seq == self._first_seq:
            return
        self._first_seq = first_seq
        gone = {ref for ref, step in self._steps.items() if step >> _SEQ_AT < first_seq}
        for ref in gone:
            del self._steps[ref]
            self._seen.pop(ref, None)
            self._sealed.discard(ref)
        for seals in (self._seals, self._used) if gone else ():
            for seal in [seal for seal, ref in seals.items() if ref in gone]:
                del seals[seal]

    @property
    def listed(self) -> bool:
        """Whether there is a manifest."""
        return self._manifest.head is not None

    def find(self, code: bytes) -> "Parcel | None":
        """The parcel with this order id: from the manifest, or seen at intake."""
        found = self._manifest.find(code, CodeKind.ORDER)
        if found is not None:
            row = self._manifest.order(found[0])
            state = self._steps.get(row.ref, 0) & _STATE or row.state
            return Parcel(
                row.ref, code, row.order_class, state, bool(row.here), bool(row.seals), row.cell.rstrip(b"\0")
            )
        ref = chain.order_ref(code)
        state = self._steps.get(ref, 0) & _STATE
        # A newer manifest that does not list it has the last word.
        if self._seen.get(ref) != _tag(code) or not state:
            return None
        order_class = OrderClass.SEALED if ref in self._sealed else OrderClass.PLAIN
        return Parcel(ref, code, order_class, state, True, ref in self._seals.values(), b"")

    def fresh(self, code: bytes) -> Parcel:
        """A parcel that nobody announced, at its intake."""
        return Parcel(chain.order_ref(code), code, OrderClass.PLAIN, State.AT_POINT, True, False, b"")

    def owner(self, seal: bytes) -> int:
        """Ref of the order a seal belongs to; 0 when it belongs to none that is known, -1 when it is void."""
        found = self._manifest.find(seal, CodeKind.SEAL)
        if found is not None:
            return -1 if found[1].flags & _VOID else self._manifest.order(found[0]).ref
        return self._seals.get(_tag(seal), 0)

    def item_owner(self, number: bytes) -> int:
        """Ref of the order an item number belongs to; 0 when it belongs to none that is known."""
        found = self._manifest.find(number, CodeKind.UIN)
        return 0 if found is None else self._manifest.order(found[0]).ref

    def used(self, seal: bytes) -> bool:
        """Whether this seal left with a parcel: only a completed hand-out uses it up."""
        return _tag(seal) in self._used

    def apply(
        self, seq: int, action: int, verdict: int, ref: int, before: int, after: int, parts: "dict[int, bytes]"
    ) -> None:
        """Record `seq` of this terminal's holds from now on."""
        if not ref:
            return
        seal = parts.get(Tlv.SEAL)
        id = parts.get(Tlv.ORDER)
        state = after if after != before else self._steps.get(ref, 0) & _STATE
        self._steps[ref] = seq << _SEQ_AT | state
        if id is not None and action == Action.STORE and verdict == Verdict.OK and self._manifest.index_of(ref) < 0:
            self._seen[ref] = _tag(id)
        elif action == Action.INTAKE_CHECK:
            self._sealed.add(ref)
        elif action == Action.SEAL_APPLY and seal is not None:
            self._sealed.add(ref)
            self._seals[_tag(seal)] = ref
        elif action == Action.HANDOUT and verdict == Verdict.OK and seal is not None:
            self._used[_tag(seal)] = ref
        elif action == Action.UNDO and seal is not None:
            self._used.pop(_tag(seal), None)


def _tag(code: bytes) -> bytes:
    return chain.code_tag(b"", 0, code)[:8]
