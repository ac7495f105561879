"""One docking, in this order: verify, insert, commit, receipt, send. A receipt is never made before the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from plomba.dock.clock_setting import SKEW_S, mend_clock, set_clock
from plomba.dock.root_following import follow_root
from plomba.dock.salvage import keep_damaged_pages, lost_from
from plomba.errors import NotForwarded, PlombaError, TerminalError, TerminalRefused, VerificationError
from plomba.forward import Desk, Forwarder
from plomba.ledger import Enrolled, Fork, Ledger
from plomba.ledger.losses import Loss
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba.trust.objects import SignedObject, bundle, seal, version_of
from plomba.trust.organisation import Organisation
from plomba.trust.records import Standing, verify_chain
from plomba_wire.codec import Health, Malformed, ReceiptBody, StatusOk
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Enrolment, Error, ObjectKind

_IMAGE = "image"


@dataclass(slots=True)
class Report:
    """What one docking did. `receipted_seq` is the newest record the terminal holds a receipt for; `refused` names what
    it would not take and could do without, `missing` what the desk could not give, and `refusals` says why; `checks` is
    what the terminal finds wrong with itself (vocabulary.toml), `lost` the records that its flash has lost and that the
    chain goes on behind."""

    terminal: str
    records: int = 0
    receipted_seq: int = 0
    forwarded: int = 0
    pushed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    lost: list[Loss] = field(default_factory=list)
    damaged_pages: int = 0
    pages_copied: bool = False
    refusals: list[PlombaError] = field(default_factory=list)
    waiting: NotForwarded | None = None

    def note(self, what: str, became: str) -> None:
        """That something was "pushed", "refused" or "missing"; nothing for what there was no need of."""
        told = {"pushed": self.pushed, "missing": self.missing}.get(became, self.refused)
        if became and what not in told:
            told.append(what)


class Dock:
    """`clock` is seconds since 1970; without a desk records are stored and receipted, and wait in the outbox.

    `lists` False pushes no manifest: a point beside a marketplace's own app works by what it read at intake. `image`
    is a signed application image: a terminal whose firmware is older gets it, and starts again with it when the session
    has ended. `accept_losses` are first and last numbers of records that a person knows to be lost: the chain of a
    damaged terminal goes on behind them, and behind no others.
    """

    def __init__(
        self,
        ledger: Ledger,
        organisation: Organisation,
        desk: Desk | None,
        clock: Callable[[], float],
        *,
        lists: bool = True,
        image: bytes | None = None,
        accept_losses: Collection[tuple[int, int]] = (),
    ) -> None:
        self._ledger = ledger
        self._organisation = organisation
        self._desk = desk
        self._clock = clock
        self._lists = lists
        self._image = image
        self._accept_losses = accept_losses

    async def sync(self, port: str, *, capture: Path | None = None) -> Report:
        """Docks the terminal on `port`. Raises TerminalError, VerificationError, StoreError; nothing is half-done."""
        return await self.sync_with(Terminal(open_transport(port, capture)))

    async def attend(self, port: str, *, capture: Path | None = None) -> AsyncIterator[Report]:
        """Docks the terminal and stays: a report for the docking, then one for each time new records were announced,
        pulled, receipted and forwarded. Ends with the link's TerminalError, or when the terminal has to start again."""
        async with Terminal(open_transport(port, capture)) as terminal:
            report = Report(terminal.id)
            enrolled = self._known(terminal)
            enrolled = await self._dock(terminal, enrolled, report)
            yield report
            if _IMAGE in report.pushed:
                return
            async for next_seq in terminal.announcements():
                if next_seq <= self._ledger.watermark(enrolled)[0]:
                    continue
                report = Report(terminal.id)
                await self._collect(terminal, enrolled, report)
                await terminal.meanwhile(self._forward(enrolled, report))
                yield report

    async def sync_with(self, session: Terminal) -> Report:
        """The same with a session of your own, such as a replayed capture."""
        async with session as terminal:
            report = Report(terminal.id)
            await self._dock(terminal, self._known(terminal), report)
        return report

    async def _dock(self, terminal: Terminal, enrolled: Enrolled, report: Report) -> Enrolled:
        # A dock whose own key does not count any more would pull records and could not receipt them.
        self._organisation.signer("dock", now=int(self._clock()))
        enrolled, led = await follow_root(terminal, enrolled, self._organisation, self._ledger)
        report.note("root", "pushed" if led else "")
        report.note("time", await mend_clock(terminal, self._organisation, self._clock))
        await self._collect(terminal, enrolled, report)
        await terminal.meanwhile(self._forward(enrolled, report))
        await self._push(terminal, enrolled, report)
        await self._collect(terminal, enrolled, report)
        await terminal.meanwhile(self._forward(enrolled, report))
        await self._push_image(terminal, enrolled, report)
        return enrolled

    async def _collect(self, terminal: Terminal, enrolled: Enrolled, report: Report) -> None:
        """Pulls, verifies and stores what is new, then hands over the receipt."""
        status = await terminal.status(enrolled.public)
        next_seq, _ = self._ledger.watermark(enrolled)
        await self._compare(terminal, enrolled, status, next_seq)
        await self._bring_revocations(terminal, status, report)
        await self._look(terminal, enrolled, status, report)
        loss: Loss | None = None
        tried: list[Loss] = []
        while True:
            try:
                await self._pull(terminal, enrolled, report, loss)
                break
            except TerminalRefused as refused:
                if loss is not None and refused.link_code == Error.CHAIN_FORK:
                    # It contradicts itself; that is no proof of a copy.
                    raise
                loss = await self._missing(terminal, enrolled, status, refused, report)
                if loss in tried:
                    raise
                tried.append(loss)
        next_seq, head = self._ledger.watermark(enrolled)
        report.receipted_seq = status.receipted_seq
        # One that it holds already is not shown again: its certificate may have ended since.
        if next_seq - 1 > status.receipted_seq or (
            next_seq > 1 and self._ledger.receipt(enrolled, next_seq - 1) is None
        ):
            report.receipted_seq = await terminal.give_receipt(self._receipt(enrolled, next_seq - 1, head))

    async def _look(self, terminal: Terminal, enrolled: Enrolled, status: StatusOk, report: Report) -> None:
        """How the terminal is; damaged pages are copied before a receipt lets it erase them, once a docking."""
        try:
            health = Health.unpack(status.health)
        except Malformed:
            # A newer firmware may say more than this dock knows; its records are not the worse for it.
            return
        failed = [name for name, entry in VOCABULARY["check"].items() if entry["code"] & health.checks]
        report.checks += [name for name in failed if name not in report.checks]
        if (health.torn or health.broken) and not report.pages_copied:
            await self._copy_pages(terminal, enrolled, report)

    async def _copy_pages(self, terminal: Terminal, enrolled: Enrolled, report: Report) -> None:
        report.damaged_pages += await keep_damaged_pages(terminal, enrolled, self._ledger, int(self._clock()))
        report.pages_copied = True

    async def _pull(self, terminal: Terminal, enrolled: Enrolled, report: Report, behind: Loss | None) -> None:
        """Pulls, verifies and stores all there is, or all there is behind a loss."""
        next_seq, previous = self._ledger.watermark(enrolled)
        if behind is not None:
            next_seq, previous = behind.last_seq + 1, behind.previous
        standing = Standing.of(
            SignedObject.parse(enrolled.certificate), enrolled.id, self._organisation.trust.revocations
        )
        try:
            async for batch in terminal.pull(enrolled.epoch, next_seq, previous):
                verified = verify_chain(enrolled.public, enrolled.epoch, batch.first_seq, previous, batch.records)
                arrived = int(self._clock())
                for record in verified:
                    standing.check(record.head, arrived)
                self._ledger.append(verified, behind, arrived)
                if behind is not None:
                    report.lost.append(behind)
                    behind = None
                previous = verified[-1].digest
                report.records += len(verified)
                terminal.credit(verified[-1].head.seq + 1)
        except Fork as fork:
            self._ledger.forks.keep(fork.held, fork.found, self._organisation.trust.root, int(self._clock()))
            raise

    async def _missing(
        self, terminal: Terminal, enrolled: Enrolled, status: StatusOk, refused: TerminalRefused, report: Report
    ) -> Loss:
        """The records that a refused pull could not have, when a person has named them. Raises what the refusal means
        when it is not that."""
        next_seq, _ = self._ledger.watermark(enrolled)
        if refused.link_code == Error.CHAIN_FORK:
            # A terminal that cannot read its newest record any more goes on behind the one before it.
            newest = await lost_from(terminal, enrolled, next_seq - 1) if next_seq > 1 else None
            if newest is None:
                raise await self._fork(terminal, enrolled, next_seq - 1) from refused
            loss: Loss | None = newest
        elif refused.link_code in (Error.PRUNED, Error.STORAGE_FAULT):
            loss = await lost_from(terminal, enrolled, next_seq)
        else:
            raise refused
        if loss is None:
            raise refused
        await self._copy_pages(terminal, enrolled, report)
        if (loss.first_seq, loss.last_seq) in self._accept_losses:
            return loss
        if next_seq <= status.receipted_seq and refused.link_code != Error.CHAIN_FORK:
            code = "ledger_behind"
        else:
            code = "records_lost"
        raise VerificationError(code, terminal=terminal.id, seq=loss.first_seq, last=loss.last_seq) from refused

    async def _bring_revocations(self, terminal: Terminal, status: StatusOk, report: Report) -> None:
        """Before anything else goes down: a terminal whose list is damaged takes nothing until it has one."""
        revocations = self._organisation.trust.revocations
        if revocations is not None and revocations.number > status.revocations:
            if revocations.expired(int(self._clock())):
                report.note("revocations", "refused")
                return
            assert self._organisation.revocations is not None
            await terminal.push(ObjectKind.REVOCATIONS, revocations.number, self._organisation.revocations)
            report.note("revocations", "pushed")

    async def _compare(self, terminal: Terminal, enrolled: Enrolled, status: StatusOk, next_seq: int) -> None:
        """A terminal that has fewer records than we do was rolled back, or is a copy. Raises VerificationError."""
        if status.epoch < enrolled.epoch:
            self._ledger.forks.quarantine(enrolled.id, int(self._clock()), f"it is back in epoch {status.epoch}")
            raise VerificationError("tail_cut", terminal=terminal.id, found=status.next_seq - 1, known=next_seq - 1)
        if status.epoch > enrolled.epoch or status.next_seq >= next_seq:
            # A newer epoch is one that was cut before the ledger knew of it: the pull is refused with EPOCH_CHANGED.
            return
        newest = status.next_seq - 1
        loss = self._ledger.losses.behind(enrolled, newest)
        if (loss is None or newest == loss.last_seq) and status.head != self._ledger.digest(enrolled, newest):
            raise await self._fork(terminal, enrolled, newest)
        self._ledger.forks.quarantine(enrolled.id, int(self._clock()), f"its records end at {newest}")
        raise VerificationError("tail_cut", terminal=terminal.id, found=newest, known=next_seq - 1)

    async def _fork(self, terminal: Terminal, enrolled: Enrolled, newest: int) -> VerificationError:
        """Finds the first record that terminal and ledger have with different bodies, and keeps both as proof.

        `newest` is a number they differ at. Where the terminal has erased that record there is no proof, but a fork.
        """
        now = int(self._clock())
        agreed, differ = 0, newest
        try:
            while differ - agreed > 1:
                middle = self._vouched(enrolled, agreed, differ)
                if middle is None:
                    break
                if await terminal.holds(enrolled.epoch, middle, self._ledger.digest(enrolled, middle)):
                    agreed = middle
                else:
                    differ = middle
            previous = self._ledger.digest(enrolled, agreed)
            held = self._ledger.record(enrolled.id, enrolled.epoch, agreed + 1)
            async for batch in terminal.pull(enrolled.epoch, agreed + 1, previous):
                [found] = verify_chain(enrolled.public, enrolled.epoch, agreed + 1, previous, batch.records[:1])
                if held is not None and held.digest != found.digest:
                    self._ledger.forks.keep(held, found, self._organisation.trust.root, now)
                break
        except TerminalRefused:
            pass
        self._ledger.forks.quarantine(enrolled.id, now, f"record {differ} differs")
        return VerificationError("chain_fork", terminal=terminal.id, seq=agreed + 1)

    def _vouched(self, enrolled: Enrolled, above: int, below: int) -> int | None:
        """A number between the two whose chain value the ledger has, as far in the middle as can be."""
        middle = (above + below) // 2
        loss = self._ledger.losses.behind(enrolled, middle)
        if loss is None or middle == loss.last_seq:
            return middle
        if loss.first_seq - 1 > above:
            return loss.first_seq - 1
        return loss.last_seq if loss.last_seq < below else None

    def _known(self, terminal: Terminal) -> Enrolled:
        if terminal.hello.enrolment != Enrolment.ENROLLED:
            raise TerminalError("terminal_not_enrolled", terminal=terminal.id, port=terminal.transport.name)
        enrolled = self._ledger.terminal(terminal.hello.terminal)
        if enrolled is None:
            raise TerminalError("terminal_unknown", terminal=terminal.id, port=terminal.transport.name)
        reason = self._ledger.forks.quarantined(enrolled.id)
        if reason is not None:
            raise VerificationError("terminal_quarantined", terminal=terminal.id, reason=reason)
        return enrolled

    def _receipt(self, enrolled: Enrolled, up_to: int, head: bytes) -> bytes:
        """The receipt for everything up to a record; the same bytes when it is asked for again."""
        given = self._ledger.receipt(enrolled, up_to)
        if given is not None:
            return given
        now = int(self._clock())
        size, root = self._ledger.log()
        body = ReceiptBody(enrolled.id, enrolled.epoch, up_to, head, now, size, root).pack()
        signer = self._organisation.dock
        signed = seal(ObjectKind.RECEIPT, body, signer.key, version=up_to, not_before=now - SKEW_S)
        receipt = bundle(signer.certificate, signed)
        self._ledger.keep_receipt(enrolled, up_to, size, receipt)
        return receipt

    async def _push(self, terminal: Terminal, enrolled: Enrolled, report: Report) -> None:
        """Sets the clock, brings rules and manifest up to date. Each one installed makes a record."""
        status = await terminal.status(enrolled.public)
        report.note("time", await set_clock(terminal, self._organisation, self._clock))
        if self._desk is not None and report.waiting is None:
            desk = self._desk
            await self._push_list(terminal, ObjectKind.RULES, "rules", desk.rules, status.rules, report)
            if self._lists:
                await self._push_list(terminal, ObjectKind.MANIFEST, "manifest", desk.manifest, status.manifest, report)
            await self._push_list(terminal, ObjectKind.STAFF, "staff", desk.staff, status.staff, report)
            await self._push_list(terminal, ObjectKind.SEALS, "seals", desk.seals, status.seals, report)

    async def _push_list(
        self,
        terminal: Terminal,
        kind: int,
        name: str,
        fetch: Callable[[str], Awaitable[bytes | None]],
        held: int,
        report: Report,
    ) -> None:
        """Brings a list there when the desk has a newer one. The older one goes on holding where the desk cannot give
        it, or the terminal does not take it: nothing else has to wait for it."""
        try:
            bundle = await fetch(terminal.id)
            version = held if bundle is None else version_of(bundle)
        except PlombaError as error:
            report.note(name, "missing")
            report.refusals.append(error)
            return
        if bundle is None or version <= held:
            return
        try:
            await terminal.push(kind, version, bundle)
        except TerminalRefused as refusal:
            report.note(name, "refused")
            report.refusals.append(refusal)
            return
        report.note(name, "pushed")
        if kind == ObjectKind.RULES:
            self._ledger.keep_object(kind, version, bundle)

    async def _push_image(self, terminal: Terminal, enrolled: Enrolled, report: Report) -> None:
        """Last, for it wants everything receipted. One that did not come up there once is not brought again."""
        if self._image is None:
            return
        version = version_of(self._image)
        if version <= terminal.hello.firmware or version == (await terminal.status(enrolled.public)).image:
            return
        try:
            await terminal.push(ObjectKind.IMAGE, version, self._image)
        except TerminalRefused as refusal:
            # For another board, too old, a low battery, a record in between: nothing else has to wait for it.
            report.note(_IMAGE, "refused")
            report.refusals.append(refusal)
        else:
            report.note(_IMAGE, "pushed")

    async def _forward(self, enrolled: Enrolled, report: Report) -> None:
        """Empties the outbox; a desk that is away leaves it for later."""
        if self._desk is None:
            return
        try:
            await self._desk.register(enrolled.certificate, enrolled.place)
            report.forwarded += await Forwarder(self._ledger, self._desk, self._clock).run(now=True)
            report.waiting = None
        except NotForwarded as waiting:
            report.waiting = waiting
        except PlombaError as error:
            waiting_records = self._ledger.counts()["waiting"]
            report.waiting = NotForwarded("not_forwarded", count=waiting_records, reason=error)
