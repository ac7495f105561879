"""For whoever runs the firmware without its face: to draw a screen takes longer than to sign. MicroPython only."""

from plomba_wire.vocabulary import Verdict
from terminal.work import shift


class NoFace:
    """Takes the presenter's place and says nothing. A rule that was shown can be acknowledged."""

    def verdict(self, terminal, decision, code: bytes) -> None:
        if decision.verdict == Verdict.NEW_RULE:
            terminal.flow.rule_on_screen = shift.unread(terminal.flow)

    def __getattr__(self, name: str):
        return _nothing


def _nothing(*arguments) -> None:
    pass
