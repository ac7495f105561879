"""What the terminal shows when it starts and finds something wrong. The words are data: vocabulary.toml, [check]."""

from plomba_wire.vocabulary import Check
from terminal.journal.ring import JournalFull
from terminal.keys.entropy import EntropyFailure
from terminal.keys.signer import ChipFailure, KeyDamaged

_HINT = "hint"
_SCREEN = "screen"


def stops(error: Exception) -> int:
    """The check that a start failed by this error has failed; 0 when it is none, but a fault of the firmware."""
    for kind, check in (
        (KeyDamaged, Check.KEY_DAMAGED),
        (ChipFailure, Check.CHIP_FAILED),
        (EntropyFailure, Check.NO_ENTROPY),
        (OSError, Check.MEMORY_FAILED),
    ):
        if isinstance(error, kind):
            return check
    return 0


def prevents(error: Exception) -> int:
    """The check that has failed when a record could not be made or signed."""
    return Check.JOURNAL_FULL if isinstance(error, JournalFull) else stops(error)


def screens(bits: int, texts) -> "list[int]":
    """Those of the checks that want a screen of their own, the gravest first."""
    return [bit for bit in sorted(texts, reverse=True) if bits & bit and texts[bit][0] == _SCREEN]


def hint(bits: int, texts) -> str:
    """What to say where nothing else is to be said; empty when all is well."""
    for bit in sorted(texts, reverse=True):
        if bits & bit and texts[bit][0] == _HINT:
            return texts[bit][2]
    return ""
