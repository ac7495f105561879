"""What people do at terminals: mostly what the last answer asks for, sometimes anything at all."""

from __future__ import annotations

from random import Random

from organisation_scene import ENDED, PINS, PLACES, UNKNOWN, Parcel, Terminal, World
from witness import need

from plomba.trust.answers import answer
from plomba_wire.vocabulary import COMMANDS, MODES, Action, CodeKind, Mode, State, Tlv, Verdict

QR, DATA_MATRIX, CODE_128 = 1, 3, 5
_AT = {"warehouse": 14, "courier": 12, "point": 11, "spare": 11}
_PIN, _CODE, _ANSWER = range(3)
_SCANS_OF_SIGNS = (b"PLB*DIGIT*", b"PLB*ENTER", b"PLB*OK")
_WINDOW_MS = 1500
HOSTILE = (
    b"\x00", b"\x1b[2J\x1b[31mOK", b"\x07\x08\x7f", b"A-1\r\nOK", b"A-1\x00", b"\x1d", b"\x1dA-1", b"A-1\x1d",
    b"<script>alert(1)</script>", b'"><img src=x onerror=alert(1)>', b"'; DROP TABLE orders; --", b"A-1' OR '1'='1",
    b"=cmd|' /C calc'!A0", b"../../etc/passwd", b"%s%n{0}", "\u202eA-1".encode(), "\u202e\u202dOK".encode(),
    "А-1".encode(), "A-1\u200b".encode(), b"\xff\xfe\xfd", b"\xc3", b"PLB*", b"PLB**", b"PLB*OK*OK", b"PLB*BADGE*",
    b"PLB*BADGE*0", b"PLB*BADGE*9999999999", b"PLB*BADGE*-1", b"PLB*BADGE*\xd9\xa1", b"PLB*DIGIT*", b"PLB*DIGIT*12",
    b"PLB*HANDOUT*1", b"plb*ok", b"PLB*OK ", b" PLB*OK", b"PLB*RESULT*8", b"PLB*RESULT*256", b"PLB*REASON*0",
    b"PLB*PART*0", b"PLB*PART*100", b"PLB*LATE*0", b"PLB*PHOTO*" + b"g" * 32, b"PLB*PHOTO*" + b"a" * 49,
    b"PLB*CELL*" + b"c" * 13, b"PLB*SACK*" + b"s" * 33, b"PLB*ACT*" + b"a" * 49, b"PLB*CUSTOMER*\x1b", b"PLT*",
    b"PLT*" + b"0" * 30, b"PLT*" + b":" * 30, b"PLT*" + b" " * 30, b"PLS*", b"PLS*" + b"0" * 100, b"PLS*\xff",
    b"x" * 300, b"x" * 301, b"x" * 4000, b"PLB*" + b"A" * 400, b" ", b"A-1 ", b"a-1", b"1234567890123456",
    b"1234567890123457", b"]C1A-1", b"RA123456784RU", b"00106141411234567898",
    b"\xe2\x80\x8f", b"]", b"0", b"\xf0\x9f\x92\x8d",
)  # fmt: skip
"""Texts that nobody of ours has printed."""
_CARDS = tuple(
    [b"PLB*" + name for name in MODES] * 2
    + [b"PLB*" + name for name, number in COMMANDS.items() if number < 64]
    + [b"PLB*REASON*21", b"PLB*REASON*1", b"PLB*RESULT*1", b"PLB*RESULT*2", b"PLB*RESULT*7", b"PLB*PART*1"]
    + [b"PLB*PHOTO*CAM-1", b"PLB*PHOTO*" + b"ab" * 16, b"PLB*CELL*Z-1", b"PLB*SACK*M-1", b"PLB*SACK*M-2"]
    + [b"PLB*ACT*17", b"PLB*WAY*5", b"PLB*WAY*6", b"PLB*LATE*30", b"PLB*CUSTOMER*4711", b"PLB*DIGIT*1"]
)
_NEXT = {
    State.ACCEPTED: ("PICK",),
    State.PICKED: ("PACK",),
    State.PACKED: ("STAGE", "STAGE", "BAG"),
    State.STAGED: ("GIVE", "TAKE"),
    State.HANDING: ("TAKE", "ARRIVAL"),
    State.WITH_COURIER: ("WAY", "GIVE", "ARRIVAL"),
    State.ON_ROUTE: ("STOP", "GIVE"),
    State.AT_STOP: ("HANDOUT", "HANDOUT", "GIVE"),
    State.AT_POINT: ("STORE",),
    State.READY: ("HANDOUT",),
    State.IDENTIFIED: ("HANDOUT",),
    State.VERIFIED: ("HANDOUT",),
    State.REFUSED: ("HANDOUT", "RETURN"),
    State.HELD: ("RELEASE", "RELEASE", "RETURN"),
    State.EXPIRED: ("RETURN",),
    State.FAILED: ("WAY", "RETURN", "BACK"),
    State.PART_DELIVERED: ("RETURN",),
    State.RETURNING: ("GIVE", "TAKE", "BACK"),
    State.RETURNED: ("LOOK",),
}
"""State of an order -> what sensible people do with it next: a mode, or a card after its code."""
_ASKING = (
    *(Verdict.NEED_SEAL, Verdict.NEED_ITEM, Verdict.NEED_REASON, Verdict.NEED_PHOTO, Verdict.NEED_SUPERVISOR),
    *(Verdict.NEED_RESULT, Verdict.NEED_ACT, Verdict.UNREADABLE, Verdict.SEAL_OK, Verdict.SEAL_READ),
)
_WORKS = {
    "warehouse": ("PICK", "PACK", "STAGE", "BAG", "GIVE", "BACK", "LOOK", "RELEASE", "RETURN"),
    "courier": ("TAKE", "WAY", "STOP", "HANDOUT", "GIVE", "RETURN"),
    "point": ("ARRIVAL", "STORE", "HANDOUT", "GIVE", "BAG", "RELEASE", "RETURN"),
    "spare": ("STORE", "HANDOUT", "ARRIVAL", "RETURN", "RELEASE"),
}


class People:
    """Each step is one whole number: 0 is nothing, and what another one is follows from it and from what was seen."""

    def __init__(self, world: World, witness) -> None:
        self.world = world
        self.witness = witness
        self.at = "point"
        self._last = {name: (b"", -10_000) for name in world.terminals}
        self._typing = dict.fromkeys(world.terminals, "")
        self._badge = dict.fromkeys(world.terminals, 0)

    def step(self, choice: int) -> None:
        if not choice:
            return
        random = Random(choice)
        world = self.world
        if random.random() < 0.06:
            self.at = random.choice(list(world.terminals))
        name = self.at
        what = random.random()
        if what < 0.012:
            world.dock(name)
        elif what < 0.017:
            world.restart(name)
        elif what < 0.02:
            world.new_rules(name)
        elif what < 0.035:
            world.do(name, "wait", ms=random.choice([61_000, 200, 700_000, 4_000_000]))
        elif what < 0.06:
            self.unread(name, 3)
        elif what < (0.94 if self._midway(world.terminals[name]) else 0.74):
            self._sensible(random, world.terminals[name])
        else:
            self._anything(random, world.terminals[name])
        for terminal in world.terminals.values():
            need(not terminal.told.get("lost"), "a scan was lost")

    def _midway(self, terminal: Terminal) -> bool:
        """Whether the last answer asks for one more thing."""
        return terminal.told["entry"] is not None or terminal.last.head.verdict in _ASKING

    def scan(self, name: str, code: bytes, symbology: int = QR, ms: int = 2000) -> None:
        terminal = self.world.terminals[name]
        before = terminal.told["entry"]
        text, at = self._last[name]
        again = text == code and self.world.ms + ms - at < _WINDOW_MS
        records = self.world.do(name, "scan", symbology, code, ms=ms)
        at_entry = before is not None or code.startswith(_SCANS_OF_SIGNS)
        self._last[name] = (code, self.world.ms)
        told = terminal.told
        # The siren, a lock and a rule that takes force make records of their own.
        own = [
            record
            for record in records
            if record.head.verdict != Verdict.LEFT_UNSCANNED and record.head.action != Action.RULES_ACK
        ]
        if at_entry and code.startswith(_SCANS_OF_SIGNS):
            if not own:
                self._last[name] = (b"", 0)
        elif not again:
            need(own, "a scan without a record:", code)
        if before is not None and before[0] == _PIN and code.startswith(b"PLB*DIGIT*") and len(code) > 10:
            for record in records:
                need(Tlv.CODE not in record.parts and Tlv.LONG_CODE not in record.parts, "a PIN's sign is in a record")
        for kind, headline, next_step in told["said"]:
            if kind == "verdict" and ("refused" in told["tones"] or "next" in told["tones"]):
                need(headline and next_step, "a refusal that does not go on:", headline)

    def key(self, name: str, key: str) -> None:
        self.world.do(name, "key", key)

    def unread(self, name: str, count: int) -> None:
        self.world.do(name, "unread", count)

    def order_of(self, terminal: Terminal) -> Parcel | None:
        """The parcel that the newest record about one is about."""
        for record in reversed(terminal.records[-6:]):
            if record.head.order_ref:
                return self.witness.parcels.get(record.head.order_ref)
        return None

    def _sensible(self, random: Random, terminal: Terminal) -> None:
        name, told = terminal.name, terminal.told
        if told["entry"] is not None:
            self._type(random, terminal)
            return
        last = next(
            (record for record in reversed(terminal.records) if record.head.verdict != Verdict.NOTED), terminal.last
        )
        seen = self.witness.seen[name]
        verdict, parcel = last.head.verdict, self.order_of(terminal)
        if not seen.actor or verdict in (Verdict.NO_SHIFT, Verdict.NOT_ALLOWED):
            self._scan_badge(random, name, _AT[name])
        elif verdict == Verdict.NEW_RULE:
            self.key(name, "ok")
        elif parcel is not None and self._answered(random, terminal, verdict, parcel):
            return
        else:
            self._go_on(random, terminal, last.head.verdict, parcel)

    def _answered(self, random: Random, terminal: Terminal, verdict: int, parcel: Parcel) -> bool:
        """What the last answer asks for."""
        name = terminal.name
        if verdict == Verdict.NEED_SEAL:
            if random.random() < 0.4:
                cards = [*[b"PLB*OVERRIDE"] * 4, b"PLB*TYPE", b"PLB*TYPE", b"PLB*HOLD", b"PLB*INSPECT"]
                self.scan(name, random.choice(cards))
                self._typing[name] = self._seal(random, parcel).decode()
            else:
                self.scan(name, self._seal_text(random, parcel), QR)
        elif verdict == Verdict.NEED_ITEM:
            self.scan(name, random.choice(parcel.uins or ("1111222233334444",)).encode(), DATA_MATRIX)
        elif verdict == Verdict.NEED_REASON:
            self.scan(name, b"PLB*REASON*21")
        elif verdict == Verdict.NEED_PHOTO:
            self.scan(name, b"PLB*PHOTO*CAM-7")
        elif verdict == Verdict.NEED_RESULT:
            self.scan(name, random.choice([b"PLB*RESULT*1", b"PLB*RESULT*1", b"PLB*RESULT*2"]))
        elif verdict == Verdict.NEED_SUPERVISOR:
            if random.random() < 0.2:
                self.scan(name, b"PLB*CALL")
            else:
                self._scan_badge(random, name, random.choice([21, 22, 22]))
        elif verdict == Verdict.NEED_ACT:
            tokens = [other.token for other in self.world.terminals.values() if other is not terminal and other.token]
            self.scan(name, random.choice([b"PLB*ACT*9", *tokens, *tokens]))
        elif verdict in (Verdict.CONFIRM, Verdict.SEAL_OK, Verdict.SEAL_READ, Verdict.ITEM_OK):
            if random.random() < 0.7:
                self.key(name, "ok")
            else:
                cards = [b"PLB*REFUSE", b"PLB*HOLD", b"PLB*INSPECT", b"PLB*PART*1", b"PLB*FAILED", b"PLB*UNDO"]
                self.scan(name, random.choice(cards))
        elif verdict == Verdict.UNREADABLE:
            self.scan(name, random.choice([b"PLB*OVERRIDE", b"PLB*TYPE", b"PLB*HOLD"]))
            self._typing[name] = self._seal(random, parcel).decode()
        else:
            return False
        return True

    def _go_on(self, random: Random, terminal: Terminal, verdict: int, parcel: Parcel | None) -> None:
        """Another order, or the card that the last one waits for."""
        name, mode = terminal.name, terminal.told["mode"]
        seen = self.witness.seen[name]
        if verdict == Verdict.HELD and random.random() < 0.6:
            self.scan(name, b"PLB*RELEASE")
            return
        if terminal.last.head.code_kind == CodeKind.TOKEN and random.random() < 0.4:
            self.scan(name, b"PLB*UNDO")
            return
        if mode in (Mode.GIVE, Mode.TAKE, Mode.ARRIVAL) and random.random() < 0.3:
            if random.random() < 0.5:
                self.key(name, "ok")
            else:
                tokens = [t.token for t in self.world.terminals.values() if t is not terminal and t.token]
                self.scan(name, random.choice([b"PLB*ACT*3", *tokens]))
            return
        works = []
        for other in self.witness.parcels.values():
            if other.place != PLACES[name] and name not in self.world.unlisted:
                continue
            state = seen.state.get(other.ref, State.AT_POINT if name in self.world.unlisted else 0)
            works += [(other, work) for work in _NEXT.get(state, ()) if work in _WORKS[name]]
        if not works:
            self._anything(random, terminal)
            return
        # Whoever is in a mode goes on in it for a while.
        here = [pair for pair in works if pair[1].encode() == _mode_name(mode)]
        order, work = random.choice(here if here and random.random() < 0.7 else works)
        wanted = b"ROUTE" if work == "WAY" else work.encode()
        if wanted in MODES and MODES[wanted] != mode:
            self.scan(name, b"PLB*WAY*5" if work == "WAY" else b"PLB*" + wanted)
        elif wanted == b"BAG" and random.random() < 0.5:
            self.scan(name, b"PLB*SACK*M-1")
        elif wanted not in MODES and parcel is order:
            self.scan(name, b"PLB*" + wanted)
        else:
            self.scan(name, order.id.encode(), CODE_128)

    def _type(self, random: Random, terminal: Terminal) -> None:
        """The next sign of what is typed; now and then a wrong one."""
        name = terminal.name
        purpose, text, _, sign = terminal.told["entry"]
        if purpose == _PIN:
            wanted = PINS.get(self._badge[name], "") or "0000"
        elif purpose == _CODE:
            wanted = self._typing[name] or "S51"
        else:
            parcel = self.order_of(terminal)
            wanted = "00000000"
            if parcel is not None and terminal.told["challenge"]:
                desk = self.world.company.organisation.desk.key
                needed = (Verdict.NEED_SEAL, Verdict.NEED_ITEM, Verdict.NEED_SUPERVISOR)
                challenge = terminal.told["challenge"]
                asked = random.choice(needed)
                wanted = answer(desk, terminal.public, parcel.id, asked, challenge)
                if text and not wanted.startswith(text):
                    options = [answer(desk, terminal.public, parcel.id, each, challenge) for each in needed]
                    wanted = next((each for each in options if each.startswith(text)), wanted)
        if random.random() < 0.02:
            self.scan(name, b"PLB*DIGIT*" + random.choice(b"0123456789").to_bytes(1, "big"), ms=300)
        elif wanted.startswith(text) and wanted != text:
            following = wanted[len(text)]
            if random.random() < 0.1 and sign == following:
                self.key(name, "ok")
            else:
                self.scan(name, b"PLB*DIGIT*" + following.encode(), ms=random.choice([300, 2000]))
        elif purpose != _CODE and wanted != text:
            # A sign went wrong: the rest is typed, and it is refused.
            self.scan(name, b"PLB*DIGIT*0")
        elif random.random() < 0.9:
            self.scan(name, b"PLB*ENTER")
        else:
            self.key(name, random.choice(["ok", "back"]))

    def _anything(self, random: Random, terminal: Terminal) -> None:
        name, what = terminal.name, random.random()
        parcels = list(self.witness.parcels.values())
        if what < 0.28:
            self.scan(name, random.choice(_CARDS))
        elif what < 0.45:
            parcel = random.choice(parcels)
            symbology, code = random.choice([(CODE_128, parcel.id.encode()), *parcel.others])
            self.scan(name, code, symbology)
        elif what < 0.6:
            self.scan(name, self._seal_text(random, random.choice(parcels)), random.choice([QR, QR, CODE_128]))
        elif what < 0.65:
            uins = [uin for parcel in parcels for uin in parcel.uins] + ["1111222233334444"]
            self.scan(name, random.choice(uins).encode(), random.choice([QR, DATA_MATRIX]))
        elif what < 0.72:
            self._scan_badge(random, name, random.choice([*PINS, ENDED, UNKNOWN]))
        elif what < 0.82:
            self.scan(name, random.choice(HOSTILE), random.choice([QR, DATA_MATRIX, CODE_128, 7, 8]))
        elif what < 0.87:
            tokens = [other.token for other in self.world.terminals.values() if other.token]
            self.scan(name, random.choice([b"PLB*ACT*8", *tokens]))
        elif what < 0.9:
            self.scan(name, self._last[name][0] or b"PLB*UNDO", ms=random.choice([200, 2000]))
        elif what < 0.95:
            self.key(name, "ok")
        else:
            self.key(name, "back")

    def _scan_badge(self, random: Random, name: str, number: int) -> None:
        if random.random() < 0.03:
            number = random.choice([*PINS, ENDED, UNKNOWN])
        self._badge[name] = number
        self.scan(name, b"PLB*BADGE*%d" % number)

    def _seal(self, random: Random, parcel: Parcel) -> bytes:
        """What stands on its seal, mostly."""
        if random.random() < 0.15:
            parcel = random.choice(list(self.witness.parcels.values()))
        return random.choice(parcel.seals or (f"NEW-{parcel.id}", "NEW")).encode()

    def _seal_text(self, random: Random, parcel: Parcel) -> bytes:
        """What is read from a seal: of ours it is the signed text."""
        own = self.world.company.own
        if random.random() < 0.07:
            made = random.choice(own)
            return made.text.encode() if random.random() < 0.7 else made.text.encode()[:-1] + b"A"
        seal = self._seal(random, parcel)
        return next((made.text.encode() for made in own if made.name.encode() == seal), seal)


def _mode_name(mode: int) -> bytes:
    return next(name for name, number in MODES.items() if number == mode)
