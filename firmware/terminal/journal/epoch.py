"""A new epoch: the ring is emptied and the certificate that opens it takes over, whole or not at all.

Its certificate is kept as what is to come before anything is erased. From there on every start finishes what was
begun, so a cut leaves the old epoch untouched or the new one open; the erased records all have receipts by then.
"""

from terminal import files
from terminal.flash import BLOCK, PAGE, Region

_COMING = "epoch"
_NOTHING = b""
_ZEROS = bytes(PAGE)


class Unfinished(Exception):
    """Flash failed between two epochs. Nothing may be recorded before the next start has finished the change."""


def begin(identity, certificate: bytes, region: Region) -> None:
    """Ends the epoch whose records are all receipted. Raises Unfinished."""
    try:
        files.save(_COMING, certificate)
        finish(identity, region)
    except OSError:
        raise Unfinished


def finish(identity, region: Region) -> None:
    """Does what is left of a change that was begun; nothing when there is none. Raises OSError."""
    certificate = files.load(_COMING)
    if not certificate:
        return
    _empty(region)
    identity.take(certificate)
    files.save(_COMING, _NOTHING)


def _empty(region: Region) -> None:
    """No page of the ring can be taken for a record. A half erased block may pass: it is erased once more on entry.

    One that cannot be erased is filled with zeros: its records would stand between those of the new epoch for ever.
    """
    for block in range(region.blocks):
        if _blank(region, block):
            continue
        try:
            region.erase(block)
        except OSError:
            pass
        if not _blank(region, block):
            for at in range(block * BLOCK, (block + 1) * BLOCK, PAGE):
                region.program(at, _ZEROS)
            if not _zero(region, block):
                raise OSError(5)


def _blank(region: Region, block: int) -> bool:
    """False for one that cannot be read."""
    return _filled(region, block, b"\xff" * PAGE, False)


def _zero(region: Region, block: int) -> bool:
    """True for one that cannot be read: nobody takes it for a record, and more cannot be done."""
    return _filled(region, block, _ZEROS, True)


def _filled(region: Region, block: int, with_page: bytes, unreadable: bool) -> bool:
    page = bytearray(PAGE)
    for at in range(block * BLOCK, (block + 1) * BLOCK, PAGE):
        try:
            region.read(at, page)
        except OSError:
            return unreadable
        if page != with_page:
            return False
    return True
