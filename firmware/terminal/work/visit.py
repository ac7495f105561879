"""The parcels of one customer on the counter, and the seals that were read for them."""


class Visit:
    """`parcels` in the order they were scanned; the last one is the one a card or a key speaks of."""

    def __init__(self) -> None:
        self.parcels: list = []
        self._seals: dict[int, bytes] = {}
        self._since: dict[int, int] = {}

    @property
    def current(self):
        return self.parcels[-1] if self.parcels else None

    def add(self, parcel, now: int) -> None:
        """Puts a parcel on the counter; scanned again, it becomes the current one."""
        self.parcels = [other for other in self.parcels if other.ref != parcel.ref]
        self.parcels.append(parcel)
        self._since.setdefault(parcel.ref, now)

    def holds(self, ref: int):
        """The parcel with this ref, or None."""
        for parcel in self.parcels:
            if parcel.ref == ref:
                return parcel
        return None

    def remove(self, parcel) -> None:
        self.parcels.remove(parcel)
        self._seals.pop(parcel.ref, None)
        self._since.pop(parcel.ref, None)

    def read_seal(self, parcel, seal: bytes) -> None:
        self._seals[parcel.ref] = seal

    def seal_of(self, parcel) -> bytes:
        """The seal that was read for a parcel in this visit."""
        return self._seals.get(parcel.ref, b"")

    def overdue(self, rules, now: int):
        """A parcel whose seal is due for too long, once."""
        for parcel in self.parcels:
            patience = rules.siren_s(parcel.order_class) * 1000
            since = self._since.get(parcel.ref)
            if parcel.ref in self._seals or not patience or since is None:
                continue
            if now - since >= patience:
                del self._since[parcel.ref]
                return parcel
        return None
