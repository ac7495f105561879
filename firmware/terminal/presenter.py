"""A verdict becomes a tone, a lamp and a screen; every word comes from the texts of the chosen language."""

import hashlib

from plomba_wire.vocabulary import Mode, Tlv
from terminal import selftest
from terminal.screen import screens
from terminal.screen.canvas import Canvas

LANGUAGES = ("ru", "uk", "en")


class Presenter:
    """`board` has play(name), lamp(colour) and show(buffer)."""

    def __init__(self, board, language: bytes) -> None:
        self._board = board
        self._canvas = Canvas()
        self._texts = _texts(language.decode())
        self._notices: list[int] = []
        self._told = 0
        self._sounded = 0
        self._noticed = False

    def verdict(self, terminal, decision, code: bytes) -> None:
        """The tone first: the record it stands for is durable already."""
        verdicts = self._texts.VERDICTS
        text = verdicts.get((decision.action, decision.verdict)) or verdicts[0, decision.verdict]
        headline, next_step, icon, tone, lamp, latched = text
        cell = decision.parts.get(Tlv.CELL)
        if cell:
            next_step += " " + cell.decode()
        if tone != "none":
            self._board.play(tone)
        self._board.lamp(lamp)
        screens.verdict(
            self._canvas,
            headline=headline,
            icon=icon,
            code_tail=code,
            next_step=next_step,
            mode=self._mode(terminal),
            journal_count=terminal.undocked,
            clock_ok=terminal.clock.trusted,
            latched=bool(latched),
        )
        self._show()

    def seen(self) -> bool:
        """A key was pressed: the notice on the screen goes. False when there was none on it."""
        if not self._noticed:
            return False
        self._notices.pop(0)
        return True

    def failed(self, check: int) -> None:
        """Why nothing could be recorded, or nothing goes on."""
        self._check(check)

    def idle(self, terminal) -> None:
        """A check that failed and that nobody has seen yet; else by enrolment: a root to compare, a hint to enrol, or
        ready to scan."""
        if terminal.flow.visit.parcels:
            # A parcel lies on the counter, and what was said of it stays until the next step.
            return
        words = self._texts.UI
        identity = terminal.identity
        bits = terminal.health.checks(terminal)
        fresh = selftest.screens(bits & ~self._told, self._texts.CHECKS)
        self._notices = [check for check in self._notices if bits & check] + fresh
        self._told = bits
        self._sounded &= bits
        if self._notices:
            check = self._notices[0]
            self._check(check, not self._sounded & check)
            self._sounded |= check
            self._noticed = True
            return
        if identity.offered:
            fingerprint = hashlib.sha256(identity.offered[0]).digest()[:16]
            screens.enrol(self._canvas, fingerprint, title=words["ROOT"], prompt=words["ACCEPT"])
        elif not identity.root:
            screens.message(self._canvas, words["NOT_ENROLLED"], (words["ENROL_HINT"],))
        else:
            head = terminal.manifest.head
            hint = selftest.hint(bits, self._texts.CHECKS)
            screens.idle(
                self._canvas,
                headline=words["SCAN"],
                count=head.orders if head and not hint else None,
                hint=hint or (words["ORDERS"] if head else words["NO_MANIFEST"]),
                mode=self._mode(terminal),
                journal_count=terminal.undocked,
                clock_ok=terminal.clock.trusted,
            )
        self._board.lamp("off")
        self._show()

    def alarm(self) -> None:
        """Goes on until somebody answers; the record was made when it began."""
        self._board.play("alarm")

    def not_enrolled(self) -> None:
        self._fault("NOT_ENROLLED", "ENROL_HINT")

    def engine_absent(self) -> None:
        self._fault("ENGINE_ABSENT", "ENGINE_HINT")

    def _fault(self, title: str, hint: str) -> None:
        words = self._texts.UI
        self._message(words[title], words[hint])

    def _check(self, check: int, aloud: bool = True) -> None:
        _, headline, next_step = self._texts.CHECKS[check]
        self._message(headline, next_step, aloud)

    def _message(self, headline: str, next_step: str, aloud: bool = True) -> None:
        if aloud:
            self._board.play("refused")
        self._board.lamp("red")
        screens.message(self._canvas, headline, (next_step,))
        self._show()

    def _mode(self, terminal) -> str:
        return self._texts.MODES[Mode.HANDOUT if terminal.handing_out else Mode.STORE]

    def _show(self) -> None:
        self._noticed = False
        self._board.show(self._canvas.buffer)


def _texts(language: str):
    """The texts of one language; only that one takes memory."""
    if language not in LANGUAGES:
        language = LANGUAGES[0]
    return __import__("terminal.screen.texts_" + language, None, None, ("VERDICTS",))
