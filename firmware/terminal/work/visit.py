"""The parcels that lie before a person, and what was gathered for each: seals, tags, reasons, photos, who allowed what.

At a hand-out they are a customer's, and several at once; in every other mode it is the one that was scanned last.
"""

from plomba_wire.vocabulary import Verdict


class Item:
    """A parcel on the counter. `got` is need -> what was brought for it. `asked` is (action, step, code kind) that
    waits for more. `part`: how many items the customer refused. `allowed` is need -> number of the record by which
    somebody decided to go without it. `inspected`: the customer began to inspect, `looked`: and it has a result."""

    def __init__(self, parcel, now: int) -> None:
        self.parcel = parcel
        self.since = now
        self.waits = True
        self.got: "dict[int, bytes]" = {}
        self.asked = None
        self.part = 0
        self.allowed: "dict[int, int]" = {}
        self.inspected = self.looked = False
        self.typed = False

    @property
    def seal(self) -> bytes:
        """The seal that was read for it in this visit."""
        return self.got.get(Verdict.NEED_SEAL, b"")


class Visit:
    """`items` in the order they were scanned; the last one is the one a card or a key speaks of."""

    def __init__(self) -> None:
        self.items: "list[Item]" = []

    @property
    def current(self) -> "Item | None":
        return self.items[-1] if self.items else None

    def add(self, item: Item) -> None:
        """Puts a parcel on the counter; scanned again, it becomes the current one."""
        if item in self.items:
            self.items.remove(item)
        self.items.append(item)

    def holds(self, ref: int) -> "Item | None":
        for item in self.items:
            if item.parcel.ref == ref:
                return item
        return None

    def remove(self, item: Item) -> None:
        self.items.remove(item)
