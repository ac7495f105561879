"""What the terminal knows of parcels and seals: the manifest, and over it what it saw itself since.

Without a manifest, as beside a marketplace's own app, what was read at intake is all there is. All of it comes back
from the journal after a restart; of records that were freed since, only the manifest knows.
"""

from plomba_wire import chain
from plomba_wire.vocabulary import Action, CodeKind, OrderClass, State, Tlv, Verdict

_VOID = 0x01


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
        self._states: dict[int, int] = {}
        self._sealed: "set[int]" = set()
        self._seen: "dict[int, bytes]" = {}
        self._seals: dict[bytes, int] = {}
        self._used: "set[bytes]" = set()

    @property
    def listed(self) -> bool:
        """Whether there is a manifest."""
        return self._manifest.head is not None

    def find(self, code: bytes) -> "Parcel | None":
        """The parcel with this order id: from the manifest, or seen at intake."""
        found = self._manifest.find(code, CodeKind.ORDER)
        if found is not None:
            row = self._manifest.order(found[0])
            state = self._states.get(row.ref, row.state)
            return Parcel(
                row.ref, code, row.order_class, state, bool(row.here), bool(row.seals), row.cell.rstrip(b"\0")
            )
        ref = chain.order_ref(code)
        if self._seen.get(ref) != _tag(code):
            return None
        order_class = OrderClass.SEALED if ref in self._sealed else OrderClass.PLAIN
        return Parcel(ref, code, order_class, self._states[ref], True, ref in self._seals.values(), b"")

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

    def apply(self, action: int, verdict: int, ref: int, before: int, after: int, parts: "dict[int, bytes]") -> None:
        """A record of this terminal's holds from now on."""
        if not ref:
            return
        seal = parts.get(Tlv.SEAL)
        id = parts.get(Tlv.ORDER)
        if after != before:
            self._states[ref] = after
        if id is not None and action == Action.STORE and verdict == Verdict.OK and self._manifest.index_of(ref) < 0:
            self._seen[ref] = _tag(id)
        elif action == Action.INTAKE_CHECK:
            self._sealed.add(ref)
        elif action == Action.SEAL_APPLY and seal is not None:
            self._sealed.add(ref)
            self._seals[_tag(seal)] = ref
        elif action == Action.HANDOUT and verdict == Verdict.OK and seal is not None:
            self._used.add(_tag(seal))
        elif action == Action.UNDO and seal is not None:
            self._used.discard(_tag(seal))


def _tag(code: bytes) -> bytes:
    return chain.code_tag(b"", 0, code)[:8]
