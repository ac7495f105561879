"""What the terminal knows of parcels and seals: the manifest, and over it what it saw itself since.

Without a manifest, as beside a marketplace's own app, what was read at intake is all there is. All of it comes back
from the journal after a restart; of records that were freed since, only the manifest knows. So a parcel is forgotten
with the newest of its records. When each one was kept for ever, 11,000 scans left no heap (seen on the bench).
"""

import struct

from micropython import const

from plomba_wire import chain
from plomba_wire.vocabulary import MODE_ACTIONS, Action, CodeKind, OrderClass, State, Tlv, Verdict

_VOID = 0x01
_HERE = const(0x01)
_NUMBERED = const(0x02)
_STATE = const(0xFF)
_SEQ_AT = const(8)
_UNTIL = tuple(MODE_ACTIONS.values())
_LEFT = (State.READY, State.REFUSED, State.DELIVERED, State.PART_DELIVERED, State.RETURNING)
_LEAVES_BAG = (Action.STORE, Action.RETURN_IN, Action.HANDOUT)


class Parcel:
    """One parcel as it stands now; `id` is the text it was found by. `bound`: a seal is known to belong to it, or to
    have been broken; `live`: one that still counts. `numbered`: it may have an item number on a tag."""

    def __init__(self, ref: int, id: bytes, order_class: int, state: int, here: bool, bound: bool, cell: bytes) -> None:
        self.ref = ref
        self.id = id
        self.order_class = order_class
        self.state = state
        self.here = here
        self.bound = bound
        self.live = bound
        self.numbered = True
        self.cell = cell


class Parcels:
    """Keyed by an order's ref. Seals, item numbers and bags are kept as tags of 8 bytes."""

    def __init__(self, manifest) -> None:
        self._manifest = manifest
        self.forget()

    def forget(self) -> None:
        """Back to what the manifest says."""
        # Newest record above, state below; state 0 is that of the manifest. One int, since a pair takes twice the heap.
        self._steps: dict[int, int] = {}
        self._sealed: "set[int]" = set()
        self._broken: "set[int]" = set()
        self._inspected: "dict[int, bool]" = {}
        self._void: dict[bytes, int] = {}
        self._seen: "dict[int, bytes]" = {}
        self._seals: dict[bytes, int] = {}
        self._used: dict[bytes, int] = {}
        self._items: dict[bytes, int] = {}
        self._bags: dict[int, bytes] = {}
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
            self._bags.pop(ref, None)
            self._sealed.discard(ref)
            self._broken.discard(ref)
            self._inspected.pop(ref, None)
        for codes in (self._seals, self._used, self._items, self._void) if gone else ():
            for code in [code for code, ref in codes.items() if ref in gone]:
                del codes[code]

    @property
    def listed(self) -> bool:
        """Whether there is a manifest."""
        return self._manifest.head is not None

    @property
    def made(self) -> int:
        """When the manifest was made, s UTC; 0 without one."""
        return self._manifest.made if self.listed else 0

    def find(self, identities: "list[tuple[int, bytes]]") -> "Parcel | None":
        """The parcel that one of (kind, code) stands for: from the manifest, or seen at intake."""
        for kind, code in identities:
            if kind in (CodeKind.SEAL, CodeKind.UIN):
                continue
            found = self._manifest.find(code, kind)
            if found is not None:
                return self._listed(found[0], code)
        code = identities[-1][1]
        ref = chain.order_ref(code)
        # A newer manifest that does not list it has the last word.
        if self._seen.get(ref) != _tag(code) or not self.state(ref):
            return None
        return self.known(ref, code)

    def known(self, ref: int, id: bytes) -> Parcel:
        """The parcel with this ref, that the list or this terminal's own steps know. Raises OSError."""
        index = self._manifest.index_of(ref)
        if index >= 0:
            return self._listed(index, id)
        order_class = OrderClass.SEALED if ref in self._sealed else OrderClass.PLAIN
        return self._bound(Parcel(ref, id, order_class, self.state(ref), True, False, b""), False)

    def fresh(self, code: bytes, state: int) -> Parcel:
        """A parcel that nobody announced, where it is met first."""
        return Parcel(chain.order_ref(code), code, OrderClass.PLAIN, state, True, False, b"")

    def owner(self, seal: bytes) -> int:
        """Ref of the order a seal belongs to; 0 when it belongs to none that is known, -1 when it is void."""
        tag = _tag(seal)
        ref = -1 if tag in self._void else self._seals.get(tag, 0)
        if ref:
            return ref
        found = self._manifest.find(seal, CodeKind.SEAL)
        if found is None:
            return 0
        ref = self._manifest.order(found[0]).ref
        return -1 if found[1].flags & _VOID or ref in self._broken else ref

    def item_owner(self, number: bytes) -> int:
        """Ref of the order an item number belongs to; 0 when it belongs to none that is known."""
        found = self._manifest.find(number, CodeKind.UIN)
        return self._items.get(_tag(number), 0) if found is None else self._manifest.order(found[0]).ref

    def used(self, seal: bytes) -> bool:
        """Whether this seal left with a parcel: only a completed hand-out uses it up."""
        return _tag(seal) in self._used

    def in_bag(self, bag: bytes) -> "dict[int, int]":
        """Ref -> state of the parcels that are known to travel in a bag."""
        tag = _tag(bag)
        states = {ref: self._steps.get(ref, 0) & _STATE for ref, held in self._bags.items() if held == tag}
        at = 0
        while self.listed:
            found = self._manifest.find(bag + struct.pack(">H", at), CodeKind.BAG)
            if found is None:
                break
            row = self._manifest.order(found[0])
            if self._bags.get(row.ref, tag) == tag:
                states[row.ref] = self._steps.get(row.ref, 0) & _STATE or row.state
            at += 1
        for ref in states:
            index = -1 if states[ref] else self._manifest.index_of(ref)
            if index >= 0:
                states[ref] = self._manifest.order(index).state
        return states

    def state(self, ref: int) -> int:
        """Where this terminal saw an order last; 0 = it did not."""
        return self._steps.get(ref, 0) & _STATE

    def standing(self, ref: int) -> int:
        """Where an order is, by this terminal's own steps or by the list; 0 = neither knows it. Raises OSError."""
        index = -1 if self.state(ref) else self._manifest.index_of(ref)
        return self.state(ref) if index < 0 else self._manifest.order(index).state

    def inspected(self, ref: int) -> "bool | None":
        """Whether an inspection that was begun since it left its cell has its result; None = none was begun."""
        return self._inspected.get(ref)

    def newest(self, ref: int) -> int:
        """Number of this terminal's newest record about an order, 0 when it has none."""
        return self._steps.get(ref, 0) >> _SEQ_AT

    def apply(
        self, seq: int, action: int, verdict: int, ref: int, before: int, after: int, parts: "dict[int, bytes]"
    ) -> None:
        """Record `seq` of this terminal's holds from now on."""
        bag = parts.get(Tlv.BAG)
        if not ref:
            if bag is not None and after != before:
                for member in self.in_bag(bag):
                    self._steps[member] = seq << _SEQ_AT | after
            return
        seal = parts.get(Tlv.SEAL)
        id = parts.get(Tlv.ORDER)
        state = after if after != before else self._steps.get(ref, 0) & _STATE
        self._steps[ref] = seq << _SEQ_AT | state
        if action == Action.INSPECT and (Tlv.CONDITION in parts or verdict not in (Verdict.OK, Verdict.ITEM_OK)):
            self._inspected[ref] = Tlv.CONDITION in parts
        elif state in _LEFT:
            self._inspected.pop(ref, None)
        if action == Action.UNDO:
            self._undo(ref, seal, bag)
        elif action == Action.INTAKE_CHECK and verdict in (Verdict.NEED_SEAL, Verdict.SEAL_READ):
            self._sealed.add(ref)
        elif verdict != Verdict.OK:
            return
        elif action == Action.SEAL_APPLY and seal is not None:
            self._sealed.add(ref)
            self._seals[_tag(seal)] = ref
        elif action == Action.SEAL_BREAK:
            self._broken.add(ref)
            for tag in [tag for tag, owner in self._seals.items() if owner == ref]:
                del self._seals[tag]
                self._void[tag] = ref
        elif action == Action.HANDOUT and seal is not None:
            self._used[_tag(seal)] = ref
        elif action == Action.PACK and Tlv.UIN in parts and not self.listed:
            self._items[_tag(_digits(parts[Tlv.UIN]))] = ref
        if verdict != Verdict.OK or action == Action.UNDO:
            return
        if action == Action.BAG_ADD and bag is not None:
            self._bags[ref] = _tag(bag)
        elif action in _LEAVES_BAG:
            self._bags.pop(ref, None)
        if id is not None and action in _UNTIL and self._manifest.index_of(ref) < 0:
            self._seen[ref] = _tag(id)

    def _undo(self, ref: int, seal: "bytes | None", bag: "bytes | None") -> None:
        if bag is not None:
            self._bags.pop(ref, None)
        if seal is not None and self._used.pop(_tag(seal), 0) == 0 and self._seals.get(_tag(seal)) == ref:
            del self._seals[_tag(seal)]

    def _listed(self, index: int, code: bytes) -> Parcel:
        row = self._manifest.order(index)
        state = self._steps.get(row.ref, 0) & _STATE or row.state
        order_class = OrderClass.SEALED if row.ref in self._sealed else row.order_class
        parcel = Parcel(row.ref, code, order_class, state, bool(row.here & _HERE), False, row.cell.rstrip(b"\0"))
        parcel.numbered = bool(row.here & _NUMBERED)
        return self._bound(parcel, bool(row.seals))

    def _bound(self, parcel: Parcel, listed: bool) -> Parcel:
        """Which seals are known of it. A broken one counts no more, but leaves no room for any other that is shown."""
        broken = parcel.ref in self._broken
        applied = parcel.ref in self._seals.values()
        parcel.live = applied or (listed and not broken)
        parcel.bound = parcel.live or broken
        return parcel


def _digits(packed: bytes) -> bytes:
    """Packed BCD as digits."""
    return b"".join([bytes((48 + (byte >> 4), 48 + (byte & 15))) for byte in packed])


def _tag(code: bytes) -> bytes:
    return chain.code_tag(b"", 0, code)[:8]
