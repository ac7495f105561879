"""What the terminal made of a scan or a key: the content of one record."""

from typing import TYPE_CHECKING

from plomba_wire.vocabulary import CodeKind, State, Symbology

if TYPE_CHECKING:
    from typing import Callable


class Decision:
    """`ref` is the order's index in records (0 = no order); `parts` are the record's TLVs.

    `actor` overrides the badge of the open shift; `effect` is called once the record is durable.
    """

    def __init__(self, action: int, verdict: int) -> None:
        self.action = action
        self.verdict = verdict
        self.code_kind = CodeKind.NONE
        self.symbology = Symbology.NONE
        self.tries = 0
        self.ref = 0
        self.before = State.NONE
        self.after = State.NONE
        self.parts: dict[int, bytes] = {}
        self.actor = -1
        self.effect: "Callable[[], object] | None" = None

    def about(self, ref: int, before: int, after: int) -> "Decision":
        self.ref = ref
        self.before = before
        self.after = after
        return self
