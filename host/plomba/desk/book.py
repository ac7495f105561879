"""The order book: everything that can happen at the desk, each in one transaction.

State moves by verified records, and by decisions where the lifecycle has some. There is no call here, and so none in
the API, that sets it.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plomba.desk import intake, lifecycle, manifest, rules
from plomba.desk import staff as staff_lists
from plomba.desk.believing import Believing
from plomba.desk.calendars import Calendars
from plomba.desk.custody import Custody
from plomba.desk.deciding import Deciding
from plomba.desk.decisions import Decisions, Outcome
from plomba.desk.events import Claimed, event_id, read_event
from plomba.desk.expecting import Expecting
from plomba.desk.importing import Imported, Importer, RowsRefused, Trial
from plomba.desk.incidents import Incidents
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.orders import Arrival, ImportRefused, Mistakes, Order
from plomba.desk.personal import Personal
from plomba.desk.receiving import Outcome as Received
from plomba.desk.receiving import Receiver
from plomba.desk.replay import Replay
from plomba.desk.rules.pack import from_body
from plomba.desk.store import Issued, Store, Terminal
from plomba.desk.versions import Versions
from plomba.errors import PlombaError, StoreError, UsageError, VerificationError
from plomba.trust import sealing
from plomba.trust.objects import SignedObject, package, split_bundle
from plomba.trust.organisation import REVOCATIONS, Organisation
from plomba.trust.seal_register import Register
from plomba.trust.staged_files import located
from plomba_wire import chain
from plomba_wire.vocabulary import ObjectKind, Role

ACCEPTED = "accepted"
DUPLICATE = "duplicate"
REFUSED = "refused"
_FRESH = 86400
"""Seconds an unchanged manifest is given out again as it is."""
_EVERYBODY = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one event. `error` says why it was refused."""

    id: str | None
    status: str
    error: PlombaError | None = None


class Book:
    """Belongs to the thread that made it. Methods raise StoreError when the disk does not do its part."""

    def __init__(
        self,
        folder: Path,
        organisation: Organisation,
        clock: Callable[[], int],
        pack: Path | None = None,
        staff: Path | None = None,
        url: str | None = None,
    ) -> None:
        """`clock` gives s since 1970. The rule pack is `pack`, else `rules.toml` in `folder`, else the sample; the
        staff list `staff`, else `staff.toml`, else none is given out. Raises PlombaError `staff_number` for a list
        that was changed under its number or went back."""
        own, calendar = folder / "rules.toml", folder / "calendar.toml"
        listed = staff or folder / "staff.toml"
        self.staff_list = staff_lists.load(listed) if staff or listed.exists() else None
        self._staff_body = self.staff_list.body(organisation.desk.key.public) if self.staff_list else b""
        self.rule_pack = rules.load(pack or (own if own.exists() else None))
        self.lifecycle = _lifecycle(folder / "lifecycle.toml")
        requirements = intake.load(folder)
        self.store = Store(folder, url)
        self._believing = Believing(organisation)
        self._receiver = Receiver(self.store, self._believing, self.lifecycle.watch.clock_error)
        self._replay = Replay(self.store, self.lifecycle, Calendars.load(calendar if calendar.exists() else None))
        self.personal = Personal(self.store, clock)
        self.versions = Versions(self.store, clock)
        self._importer = Importer(self.store, self._replay, self.personal, self.versions, requirements)
        self.custody = Custody(self.store, self.lifecycle)
        self._deciding = Deciding(self.store, self.lifecycle, self._replay)
        self._expecting = Expecting(self.store, self.lifecycle.holder.keys() - self.lifecycle.ends)
        self._organisation = organisation
        self._sealer: tuple[int, bytes, Organisation] | None = None
        self._clock = clock
        try:
            with self.store.transaction():
                self._replay.place_all(clock())
            if self.staff_list is not None:
                content = hashlib.sha256(self._staff_body).digest()
                self._rising(ObjectKind.STAFF, self.staff_list.number, content, "staff_number")
        except BaseException:
            self.store.close()
            raise

    @property
    def clock(self) -> Callable[[], int]:
        """The desk's clock, s since 1970."""
        return self._clock

    @property
    def incidents(self) -> Incidents:
        return self._replay.incidents

    @property
    def decisions(self) -> Decisions:
        return self._replay.decisions

    def close(self) -> None:
        self.store.close()

    def enrol(self, certificate: bytes, place: int) -> Terminal:
        """Takes a terminal the pinned root vouches for. Raises VerificationError, StoreError."""
        certified = self._believing.trust().certificate(certificate, now=self._clock(), what="terminal")
        if certified.role != Role.TERMINAL:
            raise VerificationError("role_wrong", found=certified.role, wanted=Role.TERMINAL)
        new = Terminal(
            id=chain.key_id(certified.public),
            public=certified.public,
            epoch=certified.epoch,
            serial=SignedObject.parse(certificate).envelope.version,
            label="".join(c if c.isprintable() else "�" for c in certified.label.decode("utf-8", "replace")),
            place=place,
            certificate=certificate,
        )
        with self.store.transaction():
            held = self.store.terminal(new.id)
            if held is not None and new.serial < held.serial:
                raise VerificationError("desk_certificate_older", found=new.serial, held=held.serial)
            self.store.put_terminal(new)
            if held is None:
                self._replay.met(new.id, self._clock())
            self._receiver.chains.forget()
        return new

    def accept(self, events: Sequence[object]) -> list[Answer]:
        """One answer for each event, in their order. A bad one is refused alone."""
        ids = [event_id(event) for event in events]
        claims: list[tuple[int, Claimed]] = []
        outcomes: dict[int, Received] = {}
        for at, event in enumerate(events):
            try:
                claims.append((at, read_event(event)))
            except VerificationError as error:
                outcomes[at] = error
        now = self._clock()
        with _uncollected(), self.store.transaction():
            received, came = self._receiver.receive(claims, now)
            outcomes |= received
            answers = [_answer(id, outcomes[at]) for at, id in enumerate(ids)]
            self._replay.advance(came, now)
            self._replay.incidents.heard({fresh.event.head.terminal for fresh in came})
            self.store.tally(f"refused {answer.error.code}" if answer.error else answer.status for answer in answers)
        return answers

    def tick(self) -> int:
        """Opens incidents for deadlines that have passed; returns how many orders and incidents were looked at. A store
        that failed is written to, whether there is something to write or not."""
        with self.store.transaction():
            if self.store.failed is not None:
                self.store.try_to_write()
            return self._replay.incidents.tick(self._clock())

    def close_incident(self, number: int, person: str, text: str) -> None:
        """`person` has dealt with it, and says so in `text`. Raises UsageError `desk_incident_unknown`,
        `desk_incident_closed`."""
        with self.store.transaction():
            self._replay.incidents.close(number, person, text, self._clock())

    def decide(
        self,
        kind: str,
        order_id: str,
        *,
        person: str,
        record: str = "",
        source: str = "",
        external_id: str = "",
        reason: str = "",
    ) -> Outcome:
        """Takes a decision of the lifecycle about an order; it counts after all that is known of it. `record` is the
        identity of the record that it stands on; one that needs none says its source and the id there.

        Raises UsageError, and nothing is kept: `desk_order_unknown`; `desk_decision_kind`; `desk_decision_field`;
        `desk_decision_record` for a record that is not here or did nothing of the kind to this order;
        `desk_decision_state` where the order is not where it can be decided so."""
        with self.store.transaction():
            return self._deciding.take(
                kind,
                order_id,
                self._clock(),
                person=person,
                record=record,
                source=source,
                external_id=external_id,
                reason=reason,
            )

    def take_orders(self, orders: Sequence[tuple[int, Order]]) -> Imported:
        """Takes all (row, order), without personal data, or none. Raises ImportRefused."""
        return self.take([Arrival(row, order, {}) for row, order in orders])

    def take(self, arrivals: Sequence[Arrival], mistakes: Mistakes | None = None, source: str = "") -> Imported:
        """Takes all rows of a file, or none where there are `mistakes` already or one is found here. `source` names the
        file or where it came from. Raises ImportRefused."""
        if mistakes is not None and mistakes.total:
            with self.store.transaction():
                raise ImportRefused.of(self._importer.trial(arrivals, mistakes).mistakes)
        try:
            with self.store.transaction():
                return self._importer.take(arrivals, source, self._clock())
        except RowsRefused as refused:
            # What the shop says of an order that scans have moved on is kept, though nothing comes of it.
            with self.store.transaction():
                self.versions.keep(refused.claims)
            raise

    def try_orders(self, arrivals: Sequence[Arrival], mistakes: Mistakes) -> Trial:
        """What `take` would do, without doing it."""
        with self.store.transaction():
            return self._importer.trial(arrivals, mistakes)

    def manifest(self, terminal_id: bytes) -> bytes:
        """The bundle for one terminal. While nothing on it changed it is the same bytes for a day: an unneeded one
        would cost flash and a record. Versions rise even over a lost order book. Raises UsageError."""
        terminal = self._known(terminal_id)
        now = self._clock()
        epoch = max(terminal.epoch, self.store.newest_epoch(terminal.id))
        expected = self._expecting.of(terminal, now)

        def body(through: int, salt: bytes) -> bytes:
            return manifest.build(
                terminal.id, epoch=epoch, through=through, place=terminal.place, salt=salt, expected=expected
            )

        content = hashlib.sha256(self._organisation.desk.certificate + body(0, bytes(16))).digest()
        with self.store.transaction():
            held = self.store.issued(ObjectKind.MANIFEST, terminal.id)
            if held is not None and held.content == content and 0 <= now - held.made < _FRESH:
                return held.bundle
            version = max(now, held.version + 1 if held else 1)
            signed = self._sealed(
                ObjectKind.MANIFEST,
                body(self.store.through(terminal.id, epoch), os.urandom(16)),
                version=version,
                not_before=now - manifest.SKEW,
                not_after=now + manifest.LIFE,
            )
            self.store.put_issued(ObjectKind.MANIFEST, terminal.id, Issued(version, content, signed, now))
        return signed

    def rules(self, terminal_id: bytes) -> bytes:
        """The rule pack in force, the same bytes every time. Raises UsageError, and PlombaError for a pack that was
        changed under its number, went back, or changes the rules without a word."""
        self._known(terminal_id)
        pack = self.rule_pack
        held = self.store.issued(ObjectKind.RULES, _EVERYBODY)
        if held is not None:
            _tell(pack, held.bundle)
        return self._for_everybody(ObjectKind.RULES, pack.number, pack.body, "desk_rules_changed")

    def staff(self, terminal_id: bytes) -> bytes:
        """The staff list in force, the same bytes every time. Raises UsageError, `desk_staff_none` where there is none;
        PlombaError for a list that was changed under its number or went back."""
        self._known(terminal_id)
        listed = self.staff_list
        if listed is None:
            raise UsageError("desk_staff_none")
        return self._for_everybody(ObjectKind.STAFF, listed.number, self._staff_body, "staff_number")

    def _for_everybody(self, kind: int, number: int, body: bytes, changed: str) -> bytes:
        """One object for all terminals. Raises PlombaError `changed` when it is not the one that was given out under
        this number, or older than one that was."""
        content = hashlib.sha256(body).digest()
        with self.store.transaction():
            held = self._rising(kind, number, content, changed)
            if held is not None and number == held.version and _by_key(self._organisation, held.bundle):
                return held.bundle
            now = self._clock()
            signed = self._sealed(kind, body, version=number, not_before=now - manifest.SKEW)
            self.store.put_issued(kind, _EVERYBODY, Issued(number, content, signed, now))
        return signed

    def _rising(self, kind: int, number: int, content: bytes, changed: str) -> Issued | None:
        """The one that was given out last. Raises PlombaError `changed`."""
        held = self.store.issued(kind, _EVERYBODY)
        if held is not None and (number < held.version or (number == held.version and content != held.content)):
            raise PlombaError(changed, number=number, held=held.version)
        return held

    def seals(self, terminal_id: bytes) -> bytes | None:
        """The list of the organisation's own seals, the same bytes while nothing changed; None where none were issued.

        Raises UsageError; StoreError `seals_register_old` for a register that is older than what was given out.
        """
        self._known(terminal_id)
        register = Register.load(self._organisation.folder)
        organisation = self._as_it_is(register)
        body = sealing.body(organisation, register)
        content = hashlib.sha256(body).digest()
        with self.store.transaction():
            held = self.store.issued(ObjectKind.SEALS, _EVERYBODY)
            if held is None and not register.given:
                return None
            if held is not None:
                listed = SignedObject.parse(split_bundle(held.bundle)[1]).body
                if register.version < held.version or not sealing.knows(organisation, register, listed):
                    raise StoreError("seals_register_old", found=register.version, held=held.version)
                if content == held.content and register.version == held.version and _by_key(organisation, held.bundle):
                    return held.bundle
            now = self._clock()
            signed = sealing.sign(organisation, register, body, now=now)
            self.store.put_issued(ObjectKind.SEALS, _EVERYBODY, Issued(register.version, content, signed, now))
        return signed

    def _known(self, terminal_id: bytes) -> Terminal:
        terminal = self.store.terminal(terminal_id)
        if terminal is None:
            raise UsageError("desk_terminal_unknown", terminal=terminal_id.hex())
        return terminal

    def _sealed(self, kind: int, body: bytes, *, version: int, not_before: int, not_after: int = 0) -> bytes:
        desk = self._organisation.desk
        return package(
            kind, body, desk.key, desk.certificate, version=version, not_before=not_before, not_after=not_after
        )

    def _as_it_is(self, register: Register) -> Organisation:
        """The organisation with the issuers and the revocations that its folder holds by now. Raises StoreError."""
        folder = self._organisation.folder
        try:
            revocations = located(folder, REVOCATIONS).read_bytes()
        except OSError:
            revocations = b""  # what is wrong with the folder the loading says
        if self._sealer is None or self._sealer[:2] != (register.version, revocations):
            self._sealer = (register.version, revocations, Organisation.load(folder))
        return self._sealer[2]


@contextmanager
def _uncollected() -> Iterator[None]:
    """A batch makes many objects that live to its end: looking for garbage among them costs a third of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _lifecycle(own: Path) -> Lifecycle:
    """The organisation's own, where it has one, else the one that ships with the desk."""
    try:
        return lifecycle.parse(own.read_text(encoding="utf-8"), str(own)) if own.exists() else lifecycle.load()
    except (OSError, UnicodeDecodeError) as error:
        raise PlombaError("desk_data_invalid", path=own, where=error) from error


def _answer(id: str | None, outcome: Received) -> Answer:
    if isinstance(outcome, VerificationError):
        return Answer(id, REFUSED, outcome)
    return Answer(id, ACCEPTED if outcome else DUPLICATE)


def _by_key(organisation: Organisation, data: bytes) -> bool:
    certificate, _ = split_bundle(data)
    return certificate == organisation.desk.certificate


def _tell(pack: rules.RulePack, held: bytes) -> None:
    """Raises RulesRefused when `pack` comes after the bundle `held` without a word about what it changes."""
    try:
        old = from_body(SignedObject.parse(split_bundle(held)[1]).body)
    except ValueError:
        return  # of another form than this desk writes: there is nothing to compare with
    if pack.number > old.number:
        rules.follows(pack, old)
