"""A dock and a terminal under one organisation: revocations, another root, a new epoch, a foreign certificate."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from pathlib import Path

import pytest
from workbench import BADGE, PLACE, Workbench, label, plain

from plomba.cli import main
from plomba.dock import Dock, EnrolmentRequest, enrol, request_enrolment
from plomba.errors import PlombaError, TerminalError, UsageError, VerificationError
from plomba.evidence import container, make_pack, verify_pack
from plomba.ledger import Ledger
from plomba.trust.handover import hand_over
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import SignedObject, Trust, bundle, issue, seal, split_bundle
from plomba.trust.organisation import Organisation
from plomba.trust.records import verify_chain
from plomba.trust.revoking import revoke
from plomba_wire.codec import ReceiptBody
from plomba_wire.vocabulary import Action, ObjectKind, Revocation, Role

pytestmark = pytest.mark.anyio

ORDERS = [plain(f"T-{number}") for number in range(20)]


def under(bench: Workbench, organisation: Organisation) -> None:
    """The bench's dock works for this organisation from now on."""
    bench.organisation = organisation
    bench.dock = Dock(bench.ledger, organisation, None, time.time)


def loaded(bench: Workbench) -> Organisation:
    return Organisation.load(bench.organisation.folder)


def receipted_by(key: PrivateKey, certificate: bytes, utc: int, pack: bytes) -> bytes:
    """The pack with its newest receipt given by this key at that moment."""
    members = container.read(pack)
    bodies = {
        name: ReceiptBody.unpack(SignedObject.parse(split_bundle(raw)[1]).body)
        for name, raw in members.items()
        if name.startswith("receipts/")
    }
    newest = max(bodies, key=lambda name: bodies[name].up_to)
    old = hashlib.sha256(members.pop(newest)).digest()
    body = bodies[newest]
    body.utc = utc
    given = bundle(certificate, seal(ObjectKind.RECEIPT, body.pack(), key, version=1, not_before=0))
    digest = hashlib.sha256(given).digest()
    members[f"receipts/{digest.hex()}.rcpt"] = given
    for name, raw in members.items():
        if name.startswith("proofs/") and raw[:32] == old:
            members[name] = digest + raw[32:]
    return container.write(members)


async def accepted(bench: Workbench, **options: object) -> None:
    """Enrols with a person who presses OK; nothing is asked of one where the root is known."""
    screens = len(bench.terminal.screens)
    async with bench.session() as session:
        task = asyncio.create_task(
            enrol(
                session,
                bench.organisation,
                bench.ledger,
                label="bench",
                place=PLACE,
                now=int(time.time()),
                patience=10.0,
                **options,  # type: ignore[arg-type]
            )
        )
        shown = asyncio.create_task(bench.terminal.wait(lambda: len(bench.terminal.screens) > screens, "root"))
        await asyncio.wait({task, shown}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            bench.terminal.press("ok")
        shown.cancel()
        bench.enrolled = await task


async def test_a_revoked_dock_is_not_believed_by_the_terminal(bench: Workbench) -> None:
    """The list reaches the terminal through any dock; from then on the stolen key's receipts free nothing."""
    await bench.ready(ORDERS)
    stolen = bench.organisation
    organisation = loaded(bench)
    revoke(
        organisation, organisation.desk.key.id, reason=Revocation.STOLEN, since=int(time.time()), now=int(time.time())
    )
    under(bench, loaded(bench))
    report = await bench.sync()
    assert "revocations" in report.pushed
    assert (await bench.sync()).pushed == [], "once"
    bench.organisation = stolen
    with pytest.raises(TerminalError) as caught:
        await bench.push_manifest(ORDERS, 2)
    assert caught.value.code == "refused_key_revoked"


async def test_a_revoked_terminal_is_taken_up_to_the_moment_it_was_lost(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("T-1"))
    await bench.sync()
    before = bench.ledger.counts()["records"]
    organisation = loaded(bench)
    now = int(time.time())
    revoke(organisation, bench.id, reason=Revocation.LOST, since=now, now=now)
    under(bench, loaded(bench))
    await bench.terminal.warp(5_000)
    await bench.terminal.scan(label("T-2"))
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert (caught.value.code, caught.value.position) == ("key_revoked", before + 1)
    assert bench.ledger.counts()["records"] == before, "nothing of it is stored, nothing receipted"
    with pytest.raises(VerificationError) as again:
        await accepted(bench, again=True)
    assert again.value.code == "key_revoked"


async def test_a_terminal_follows_the_root_and_what_the_old_one_vouched_for_stands(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    old = loaded(bench)
    await bench.terminal.scan(label("T-1"))
    await bench.sync()
    hand_over(hand_over(old, now=int(time.time())), now=int(time.time()))
    new = loaded(bench)
    under(bench, new)
    await bench.terminal.scan(label("T-2"))
    report = await bench.sync()
    assert report.pushed[0] == "root" and report.records >= 2
    assert report.receipted_seq == bench.ledger.counts()["records"]
    assert "root" not in (await bench.sync()).pushed
    pack = make_pack(bench.ledger, new.trust.root, "T-1", new.handed_over, new.revocations)
    verify_pack(pack, new.fingerprint)
    for incomplete in (
        make_pack(bench.ledger, new.trust.root, "T-1"),
        make_pack(bench.ledger, new.trust.root, "T-1", new.handed_over),
    ):
        with pytest.raises(VerificationError):
            verify_pack(incomplete, new.fingerprint)
    with pytest.raises(VerificationError):
        verify_pack(pack, old.fingerprint)
    later = make_pack(bench.ledger, new.trust.root, "T-2", new.handed_over, new.revocations)
    assert verify_pack(later, new.fingerprint).entries


async def test_a_root_nobody_handed_over_to_is_foreign(bench: Workbench, tmp_path: Path) -> None:
    await bench.ready(ORDERS)
    stranger = Organisation.create(tmp_path / "stranger", now=int(time.time()))
    under(bench, stranger)
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code == "root_foreign"


async def test_a_new_epoch_begins_at_one_and_the_old_tail_still_verifies(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("T-1"))
    with pytest.raises(UsageError) as twice:
        await accepted(bench)
    assert twice.value.code == "enrol_duplicate"
    with pytest.raises(TerminalError) as early:
        await accepted(bench, again=True)
    assert early.value.code == "refused_unsynced_records"
    await bench.sync()
    old = bench.ledger.counts()["records"]
    await accepted(bench, again=True)
    assert bench.enrolled is not None and bench.enrolled.epoch == 2
    await bench.terminal.scan(BADGE)
    await bench.terminal.scan(label("T-2"))
    report = await bench.sync()
    assert report.receipted_seq == report.records == bench.ledger.counts()["records"] - old
    rows = list(bench.ledger.all_records())
    assert [(row.epoch, row.seq) for row in rows] == [
        *((1, seq) for seq in range(1, old + 1)),
        *((2, seq) for seq in range(1, len(rows) - old + 1)),
    ]
    bench.records()
    for order in ("T-1", "T-2"):
        pack = make_pack(bench.ledger, bench.organisation.trust.root, order)
        assert verify_pack(pack, bench.organisation.fingerprint).entries
    assert bench.records()[old].head.action in (Action.KEY_ROTATE, Action.BOOT)


async def test_a_replayed_proof_and_a_foreign_certificate_enrol_nobody(bench: Workbench) -> None:
    async with bench.session() as session:
        asked = EnrolmentRequest.parse(await request_enrolment(session, bytes(16), "counter-1"))
        fields = json.loads(await request_enrolment(session, bytes(range(16)), "counter-1"))
    assert asked.id == bytes.fromhex(fields["terminal"]) and asked.wanted_epoch == 1
    for name, value in (("nonce", "11" * 16), ("epoch", 2), ("protection", 3), ("public", "22" * 64)):
        with pytest.raises(VerificationError) as caught:
            EnrolmentRequest.parse(json.dumps({**fields, name: value}).encode())
        assert caught.value.code == "possession_failed", name
    for data in (b"", b"{}", b"[]", b"\xff", json.dumps({**fields, "public": "zz"}).encode()):
        with pytest.raises(VerificationError) as caught:
            EnrolmentRequest.parse(data)
        assert caught.value.code == "request_damaged"
    organisation = bench.organisation
    other = organisation.dock.certificate
    with pytest.raises(VerificationError) as caught:
        await accepted(bench, certificate=other)
    assert caught.value.code == "certificate_other"
    assert bench.ledger.terminal(asked.id) is None


async def test_two_persons_enrol_a_terminal_where_the_dock_has_no_root(
    bench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way through the commands: request here, approval where the root is, certificate here."""

    def command(*arguments: object) -> int:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        return int(left.value.code or 0)

    org, asked, given = bench.organisation.folder, tmp_path / "counter.enrol", tmp_path / "counter.cert"
    port = bench.terminal.port
    assert await asyncio.to_thread(command, "enroll", port, "--org", org, "--request", asked, "--label", "counter") == 0
    assert command("org", "approve", org, asked, given) == 0
    away = tmp_path / "away"
    (org / "root.pem").rename(away)
    bench.ledger.close()
    screens = len(bench.terminal.screens)
    ledger = ("--ledger", tmp_path / "dock.db", "--place", PLACE)
    enrolling = asyncio.create_task(
        asyncio.to_thread(command, "enroll", port, "--org", org, "--certificate", given, *ledger)
    )
    await bench.terminal.wait(lambda: len(bench.terminal.screens) > screens, "root on its screen")
    bench.terminal.press("ok")
    assert await enrolling == 0
    capsys.readouterr()
    bench.ledger = Ledger.open(tmp_path / "dock.db")
    organisation = Organisation.load(org)
    assert organisation.root is None
    [id] = [row[0] for row in bench.ledger.db.execute("SELECT id FROM terminal")]
    enrolled = bench.ledger.terminal(id)
    assert enrolled is not None and enrolled.label == "terminal"
    certificate = Trust(organisation.trust.root).certificate(enrolled.certificate)
    assert (certificate.public, certificate.label) == (enrolled.public, b"counter")
    with pytest.raises(PlombaError) as offline:
        organisation.certify_terminal(enrolled.public, epoch=1, protection=1, label="x", now=int(time.time()))
    assert offline.value.code == "root_offline"


async def test_an_enrolment_that_was_cut_off_is_finished_by_the_next(bench: Workbench) -> None:
    """The terminal is in its new epoch, the ledger has not heard of it: nobody is a copy, and enrolling repairs it."""
    await bench.ready(ORDERS)
    await bench.sync()
    async with bench.session() as session:
        key = await session.public_key()
        certificate = bench.organisation.certify_terminal(
            key.public, epoch=2, protection=key.protection, label="x", now=int(time.time())
        )
        await session.offer_root(bench.organisation.trust.root, certificate)
    with pytest.raises(TerminalError) as caught:
        await bench.sync()
    assert caught.value.code == "refused_epoch_changed"
    assert bench.ledger.forks.quarantined(bench.id) is None
    await accepted(bench)
    assert bench.enrolled is not None and bench.enrolled.epoch == 2
    await bench.sync()


async def test_a_terminal_back_in_an_older_epoch_is_set_aside(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    await bench.sync()
    await bench.terminal.stop()
    flash = (bench.terminal.folder / "flash.bin").read_bytes()
    await bench.terminal.start()
    await bench.sync()
    await accepted(bench, again=True)
    await bench.sync()
    await bench.terminal.stop()
    (bench.terminal.folder / "flash.bin").write_bytes(flash)
    await bench.terminal.start()
    with pytest.raises(VerificationError) as caught:
        await bench.sync()
    assert caught.value.code == "tail_cut" and bench.ledger.forks.quarantined(bench.id) == "it is back in epoch 1"


async def test_a_rotation_certifies_the_epoch_a_terminal_is_in(bench: Workbench) -> None:
    """A certificate for the next epoch was made, and never taken: the rotation must not forget the one that holds."""
    await bench.ready(ORDERS)
    await bench.sync()
    organisation = loaded(bench)
    assert bench.enrolled is not None
    organisation.certify_terminal(bench.enrolled.public, epoch=2, protection=1, label="x", now=int(time.time()))
    hand_over(organisation, now=int(time.time()))
    under(bench, loaded(bench))
    assert "root" in (await bench.sync()).pushed


async def test_a_renewed_certificate_vouches_for_what_the_epoch_holds(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    organisation = bench.organisation
    assert bench.enrolled is not None
    first = SignedObject.parse(bench.enrolled.certificate).envelope
    later = int(time.time()) + 40 * 86400
    renewed = organisation.certify_terminal(bench.enrolled.public, epoch=1, protection=1, label="x", now=later)
    envelope = SignedObject.parse(renewed).envelope
    assert envelope.not_before == first.not_before and envelope.not_after > first.not_after


async def test_a_clock_an_hour_behind_does_not_keep_the_receipt_away(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    slow = time.time() - 5 * 3600
    await bench.terminal.restart()
    await bench.terminal.engine_ready()
    await Dock(bench.ledger, bench.organisation, None, lambda: slow).sync(bench.terminal.port)
    await bench.terminal.scan(label("T-1"))
    report = await bench.sync()
    assert "time" in report.pushed and report.receipted_seq == bench.ledger.counts()["records"]


async def test_a_pack_is_held_against_a_newer_list_than_its_own(bench: Workbench, tmp_path: Path) -> None:
    """A dock's key was stolen before it gave the receipt: the pack that leaves this out is proved against the list."""
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("T-1"))
    await bench.sync()
    organisation = loaded(bench)
    pack = make_pack(bench.ledger, organisation.trust.root, "T-1", (), organisation.revocations)
    verify_pack(pack, organisation.fingerprint)
    now = int(time.time())
    revoke(organisation, organisation.dock.key.id, reason=Revocation.STOLEN, since=now - 3600, now=now)
    newer = loaded(bench).revocations
    with pytest.raises(VerificationError) as caught:
        verify_pack(pack, organisation.fingerprint, newer)
    assert caught.value.code == "pack_damaged" and "revoked" in caught.value.what("en")
    (tmp_path / "order.plomba").write_bytes(pack)
    for list_, status in (("org/revocations.list", 4), ("nothing", 2)):
        arguments = ("verify", tmp_path / "order.plomba", "--root", organisation.fingerprint)
        with pytest.raises(SystemExit) as left:
            main([str(each) for each in (*arguments, "--revocations", tmp_path / list_)])
        assert left.value.code == status


async def test_a_list_that_has_ended_stops_nobody(bench: Workbench) -> None:
    await bench.ready(ORDERS)
    organisation = loaded(bench)
    now = int(time.time())
    revoke(organisation, organisation.desk.key.id, reason=Revocation.LOST, since=now - 9, now=now - 9, lasts=5)
    under(bench, loaded(bench))
    await bench.terminal.scan(label("T-1"))
    report = await bench.sync()
    assert report.records == 1 and report.refused == ["revocations"]


async def test_a_former_root_that_was_stolen_certifies_nothing_in_a_pack(bench: Workbench) -> None:
    """Its thief certifies a dock of his own, long after the rotation, and gives receipts with it."""
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("T-1"))
    await bench.sync()
    old = loaded(bench)
    stolen = old.unlocked()
    hand_over(old, now=int(time.time()))
    new = loaded(bench)
    thief = PrivateKey.generate()
    later = int(time.time()) + 100 * 86400
    certificate = issue(
        stolen,
        thief.public,
        role=Role.DOCK,
        protection=1,
        epoch=1,
        label="dock",
        serial=1,
        not_before=later,
        not_after=0,
    )
    pack = make_pack(bench.ledger, new.trust.root, "T-1", new.handed_over, new.revocations)
    assert verify_pack(pack, new.fingerprint).entries
    for utc in (int(time.time()), later):
        with pytest.raises(VerificationError) as caught:
            verify_pack(receipted_by(thief, certificate, utc, pack), new.fingerprint)
        assert "revoked" in caught.value.what("en")


async def test_a_pack_made_between_commit_and_receipt_is_what_has_a_receipt(bench: Workbench) -> None:
    """A dock that died there: its newest records wait for their receipt, the pack does without them."""
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("T-1"))
    await bench.sync()
    whole = make_pack(bench.ledger, bench.organisation.trust.root, "T-1")
    await bench.terminal.scan(label("T-2"))
    await bench.sync()
    await bench.terminal.warp(5_000)
    await bench.terminal.scan(label("T-1"))
    assert bench.enrolled is not None
    next_seq, previous = bench.ledger.watermark(bench.enrolled)
    async with bench.session() as session:
        async for batch in session.pull(1, next_seq, previous):
            bench.ledger.append(verify_chain(bench.enrolled.public, 1, next_seq, previous, batch.records))
            break
    assert len(bench.ledger.records_of("T-1")) == 2
    found = verify_pack(make_pack(bench.ledger, bench.organisation.trust.root, "T-1"), bench.organisation.fingerprint)
    assert len(found.entries) == 1 == len(verify_pack(whole, bench.organisation.fingerprint).entries)
    await bench.sync()
    later = verify_pack(make_pack(bench.ledger, bench.organisation.trust.root, "T-1"), bench.organisation.fingerprint)
    assert len(later.entries) == 2


async def test_a_receipt_counts_as_of_the_moment_it_was_given(bench: Workbench) -> None:
    """A dock's key that had ended by then vouches for nothing, whoever verifies it today."""
    await bench.ready(ORDERS)
    await bench.terminal.scan(label("T-1"))
    await bench.sync()
    organisation = bench.organisation
    pack = make_pack(bench.ledger, organisation.trust.root, "T-1")
    certificate = organisation.dock.certificate
    ended = SignedObject.parse(certificate).envelope.not_after
    given = receipted_by(organisation.dock.key, certificate, ended, pack)
    assert [entry.before for entry in verify_pack(given, organisation.fingerprint).entries] == [ended]
    with pytest.raises(VerificationError) as caught:
        verify_pack(receipted_by(organisation.dock.key, certificate, ended + 1, pack), organisation.fingerprint)
    assert caught.value.code == "pack_damaged" and "receipts/" in caught.value.what("en")
