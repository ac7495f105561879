"""A verdict becomes a tone, a lamp and a screen; every word comes from the texts of the chosen language."""

import hashlib

from plomba_wire.vocabulary import CodeKind, Tlv, Verdict
from terminal import selftest
from terminal.screen import screens
from terminal.screen.canvas import Canvas
from terminal.work import shift
from terminal.work.entry import ANSWER, CODE, PIN

LANGUAGES = ("ru", "uk", "en")
_MET = 0x100
_ASKS = {PIN: Verdict.NEED_PIN, CODE: Verdict.NEED_DIGITS, ANSWER: Verdict.NEED_ANSWER}


class Presenter:
    """`board` has play(name), lamp(colour) and show(buffer)."""

    def __init__(self, board, language: bytes) -> None:
        self._board = board
        self._canvas = Canvas()
        self._language = language.decode()
        self._texts = _texts(self._language)
        self._notices: list[int] = []
        self._told = 0
        self._sounded = 0
        self._noticed = False

    def verdict(self, terminal, decision, code: bytes) -> None:
        """The tone first: the record it stands for is durable already."""
        action = decision.action | _MET if decision.code_kind in (CodeKind.TOKEN, CodeKind.ACT) else decision.action
        headline, next_step, icon, tone, lamp, latched = self._text(action, decision.verdict)
        if decision.next:
            next_step = self._text(0, decision.next)[1]
        cell = decision.parts.get(Tlv.CELL)
        if cell:
            next_step += " " + cell.decode()
        if tone != "none":
            self._board.play(tone)
        self._board.lamp(lamp)
        if decision.verdict == Verdict.NEW_RULE:
            self._rule(terminal, headline)
            return
        if terminal.flow.entry is not None:
            self.entry(terminal, decision.parts.get(Tlv.CHALLENGE, b""))
            return
        screens.verdict(
            self._canvas,
            headline=headline,
            icon=icon,
            code_tail=code,
            progress=decision.count,
            next_step=next_step,
            mode=self._mode(terminal),
            journal_count=terminal.undocked,
            battery=self._battery(terminal),
            clock_ok=terminal.clock.trusted,
            latched=bool(latched),
        )
        self._show()

    def token(self, text: bytes) -> None:
        """This terminal's head, for the other party's terminal to read."""
        words = self._texts.UI
        screens.token(self._canvas, text, words["TOKEN"], (words["TOKEN_HINT"],))
        self._show()

    def entry(self, terminal, challenge: bytes = b"") -> None:
        """What is being typed, as far as it may be seen, and the sign that the wheel shows."""
        typing = terminal.flow.entry
        verdict = _ASKS[typing.purpose]
        headline, next_step = self._text(0, verdict)[:2]
        typed = "*" * len(typing.text) if typing.purpose == PIN else typing.text.decode()
        lines = ["%s[%s]" % (typed, typing.sign)]
        if typing.purpose == ANSWER:
            lines.insert(0, "%s %s" % (terminal.identity.id[:4].hex(), terminal.flow.challenge.decode()))
        elif typing.again:
            lines.insert(0, self._texts.UI["AGAIN"])
        lines.append(next_step)
        screens.message(self._canvas, headline, lines)
        self._show()

    def _rule(self, terminal, headline: str) -> None:
        number = shift.unread(terminal.flow) or terminal.rules.number
        terminal.flow.rule_on_screen = number
        news = terminal.rules.news(number)
        told = news.get(self._language) or news.get("en", "")
        screens.message(self._canvas, headline, (told, self._text(0, Verdict.NEW_RULE)[1]))
        self._show()

    def _pages(self, flow) -> None:
        """The ends of the orders that are open, a page at a time."""
        tails = [_shown(tail) for tail in flow.pages[0]]
        lines = [" ".join(tails[at : at + 2]) for at in range(0, len(tails), 2)]
        screens.message(self._canvas, self._text(0, Verdict.ORDERS_OPEN)[0], lines)
        self._show()

    def _text(self, action: int, verdict: int):
        verdicts = self._texts.VERDICTS
        return verdicts.get((action, verdict)) or verdicts.get((action & _MET - 1, verdict)) or verdicts[0, verdict]

    def _battery(self, terminal) -> "int | None":
        charge = terminal.health.battery
        return None if charge > 100 else charge

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
        flow = terminal.flow
        if flow.entry is not None:
            self.entry(terminal)
            return
        if flow.pages:
            if flow.pages[0]:
                self._pages(flow)
            return
        if flow.busy:
            # What was said of a parcel on the counter stays until the next step.
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
        if identity.root and shift.unread(flow):
            self._rule(terminal, self._text(0, Verdict.NEW_RULE)[0])
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
                battery=self._battery(terminal),
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
        return self._texts.MODES[terminal.flow.mode]

    def _show(self) -> None:
        self._noticed = False
        self._board.show(self._canvas.buffer)


def _texts(language: str):
    """The texts of one language; only that one takes memory."""
    if language not in LANGUAGES:
        language = LANGUAGES[0]
    return __import__("terminal.screen.texts_" + language, None, None, ("VERDICTS",))


def _shown(tail: bytes) -> str:
    """The end of an id, whatever bytes it has."""
    return "".join([chr(byte) if 0x20 < byte < 0x7F else "?" for byte in tail])
