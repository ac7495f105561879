"""The revocation list in force: keys whose word counts for nothing any more, whatever date it bears.

A terminal cannot know when an object was made, only when it came: what arrives from a revoked key is refused, and what
it had installed before stays (signed.py).
"""

from plomba_wire.codec import Malformed, RevocationList, RevokedRow
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal import files
from terminal.objects import newest
from terminal.objects.transfer import Transfer

_FILE = "revoked"
_ROW = RevokedRow.SIZE
_KEY_ID = 8


class Revocations:
    """`number` is 0 while there is none. `damaged`: the stored list does not verify or is gone, and nobody is believed
    until the dock brings another one."""

    def __init__(self) -> None:
        self.number = 0
        self.damaged = False
        self._rows = b""

    def load(self, roots: bytes, least: int = 0) -> None:
        """Takes the stored list unless it is older than `least`; it stays in force when its dates have passed."""
        try:
            found = newest.stored(_FILE, ObjectKind.REVOCATIONS, roots, least)
            if found is not None:
                self._take(found[0].version, found[1])
        except Refusal:
            self.damaged = True

    def install(self, transfer: Transfer) -> None:
        """Puts a list that was verified as it came in force. Raises Refusal, OSError."""
        number = transfer.offer[1]
        if number <= self.number:
            raise Refusal(Error.ROLLBACK, self.number)
        _check(transfer.body)
        files.save(_FILE, transfer.bundle)
        self._take(number, transfer.body)

    def holds(self, key_id: bytes) -> bool:
        """Whether the key is revoked. Raises Refusal while the list is damaged."""
        if self.damaged:
            raise Refusal(Error.STORAGE_FAULT)
        rows = self._rows
        low, high = 0, len(rows) // _ROW
        while low < high:
            middle = (low + high) // 2 * _ROW
            found = rows[middle : middle + _KEY_ID]
            if found == key_id:
                return True
            if found < key_id:
                low = middle // _ROW + 1
            else:
                high = middle // _ROW
        return False

    def _take(self, number: int, rows: bytes) -> None:
        self.number = number
        self.damaged = False
        self._rows = rows


def _check(rows: bytes) -> None:
    """Raises Refusal unless these are whole rows, ascending by key."""
    before = b""
    try:
        RevocationList.unpack(rows)
        for at in range(0, len(rows), _ROW):
            key = RevokedRow.unpack(rows[at : at + _ROW]).key
            if key <= before:
                raise Malformed("order")
            before = key
    except Malformed:
        raise Refusal(Error.MALFORMED)
