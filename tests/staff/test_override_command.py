"""`plomba override`: the answer an owner reads out, its trace, and an override that nobody answered."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plomba.ledger import Enrolled, Ledger
from plomba.trust import answer_log
from plomba.trust.answers import answer
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import issue
from plomba.trust.organisation import Organisation
from plomba.trust.records import verify_record
from plomba.trust.revoking import revoke
from plomba_wire import chain, tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Protection, Revocation, Role, Tlv, Verdict

Run = Callable[..., tuple[int, str, str]]
NOW = int(time.time())
CHALLENGE = "01234567"


class Scene:
    """An organisation and a terminal of it."""

    def __init__(self, folder: Path) -> None:
        self.organisation = Organisation.create(folder / "org", now=NOW)
        self.terminal = PrivateKey.generate()
        self.certificate = self.certify(self.terminal, "counter-1")

    def certify(self, key: PrivateKey, label: str) -> bytes:
        return self.organisation.certify_terminal(key.public, epoch=1, protection=Protection.OPEN, label=label, now=NOW)

    def ask(self, **more: object) -> list[str]:
        asked = {
            "org": self.organisation.folder,
            "terminal": "counter-1",
            "order": "A-17",
            "challenge": CHALLENGE,
            "need": "SEAL",
        } | more
        return ["override", "answer", *(str(word) for name, value in asked.items() for word in (f"--{name}", value))]

    def right(self, order: str = "A-17", need: int = Verdict.NEED_SEAL) -> str:
        return answer(self.organisation.desk.key, self.terminal.public, order, need, CHALLENGE)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_answer_is_said_and_noted(run: Run, scene: Scene) -> None:
    status, out, _ = run(*scene.ask())
    assert (status, out.strip()) == (0, scene.right())
    [noted] = answer_log.read(scene.organisation.folder)
    assert (noted.terminal, noted.label) == (scene.terminal.id.hex(), "counter-1")
    assert (noted.order, noted.need, noted.challenge) == ("A-17", "NEED_SEAL", CHALLENGE)
    assert noted.by == scene.organisation.desk.key.id.hex() and abs(noted.at - time.time()) < 600
    assert scene.right() not in (scene.organisation.folder / answer_log.NAME).read_text()


def test_a_terminal_is_known_by_label_id_certificate_or_ledger(run: Run, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "counter-1.cert"
    path.write_bytes(scene.certificate)
    for name in ("counter-1", scene.terminal.id.hex(), path):
        assert run(*scene.ask(terminal=name))[1].strip() == scene.right()
    elsewhere = PrivateKey.generate()
    root = scene.organisation.root
    assert root is not None
    certificate = issue(
        root,
        elsewhere.public,
        role=Role.TERMINAL,
        protection=Protection.OPEN,
        epoch=1,
        label="elsewhere",
        serial=NOW + 99,
        not_before=1,
        not_after=0,
    )
    with Ledger.open(tmp_path / "dock.db") as ledger:
        ledger.enrol(Enrolled(elsewhere.id, elsewhere.public, 1, "elsewhere", 7, certificate))
    assert "[answer_terminal]" in run(*scene.ask(terminal=elsewhere.id.hex()))[2]
    said = run(*scene.ask(terminal=elsewhere.id.hex(), ledger=tmp_path / "dock.db"))[1].strip()
    assert said == answer(scene.organisation.desk.key, elsewhere.public, "A-17", Verdict.NEED_SEAL, CHALLENGE)


def test_a_file_that_is_named_like_a_terminal_is_not_taken_for_it(
    run: Run, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = PrivateKey.generate()
    for name in ("counter-1", scene.terminal.id.hex()):
        (tmp_path / name).write_bytes(scene.certify(other, "counter-2"))
        assert run(*scene.ask(terminal=name))[1].strip() == scene.right()


def test_two_terminals_of_one_name_are_told_apart(run: Run, scene: Scene) -> None:
    other = PrivateKey.generate()
    scene.certify(other, "counter-1")
    status, out, said = run(*scene.ask())
    assert (status, out) == (2, "") and "[answer_terminals]" in said and other.id.hex() in said
    assert run(*scene.ask(terminal=scene.terminal.id.hex()))[1].strip() == scene.right()


def test_what_was_heard_wrong_is_refused_or_another_answer(run: Run, scene: Scene) -> None:
    right = scene.right()
    for more, code in (
        ({"challenge": "1234567"}, "answer_challenge"),
        ({"challenge": "123456789"}, "answer_challenge"),
        ({"challenge": "1234567a"}, "answer_challenge"),
        ({"order": "Я" * 25}, "answer_order"),
        ({"need": "MONEY"}, "answer_need"),
        ({"terminal": "counter-2"}, "answer_terminal"),
        ({"terminal": "dock"}, "answer_terminal"),
        ({"terminal": "t" * 300}, "answer_terminal"),
        ({"terminal": "t\0"}, "answer_terminal"),
    ):
        status, out, said = run(*scene.ask(**more))
        assert (status, out) == (2, "") and f"[{code}]" in said
    assert answer_log.read(scene.organisation.folder) == []
    assert run(*scene.ask(challenge="0123 4567"))[1].strip() == right
    for more in ({"order": "A-18"}, {"need": "ITEM"}, {"challenge": "01234568"}):
        status, out, _ = run(*scene.ask(**more))
        assert status == 0 and out.strip() != right
    assert run(*scene.ask(need="need_seal"))[1].strip() == right
    assert run(*scene.ask(need="unreadable"))[1].strip() == scene.right(need=Verdict.UNREADABLE)


def test_a_revoked_terminal_gets_no_answer(run: Run, scene: Scene) -> None:
    revoke(scene.organisation, scene.terminal.id, reason=Revocation.STOLEN, since=NOW - 5, now=NOW)
    status, out, said = run(*scene.ask())
    assert (status, out) == (4, "") and "[key_revoked]" in said
    assert answer_log.read(scene.organisation.folder) == []


def test_another_owners_key_gives_another_answer(run: Run, scene: Scene, tmp_path: Path) -> None:
    owner = PrivateKey.generate()
    owner.save(tmp_path / "owner.pem")
    said = run(*scene.ask(key=tmp_path / "owner.pem"))[1].strip()
    assert said == answer(owner, scene.terminal.public, "A-17", Verdict.NEED_SEAL, CHALLENGE) != scene.right()
    assert answer_log.read(scene.organisation.folder)[0].by == owner.id.hex()


def test_the_log_shows_what_was_taken_out_or_changed(run: Run, scene: Scene) -> None:
    for order in ("A-1", "A-2", "A-3"):
        run(*scene.ask(order=order))
    path = scene.organisation.folder / answer_log.NAME
    whole = path.read_bytes()
    first, second, third = whole.splitlines(keepends=True)
    for damaged in (first + third, second + third, second + first + third, whole.replace(b"A-2", b"A-9")):
        path.write_bytes(damaged)
        status, _, said = run("override", "audit", "--org", scene.organisation.folder, "--ledger", path.parent / "l.db")
        assert status == 4 and "[answers_damaged]" in said
    # A line that a crash cut off was never said aloud; what comes behind it goes on from it.
    path.write_bytes(first + second + third[:20])
    run(*scene.ask(order="A-4"))
    assert [each.order for each in answer_log.read(scene.organisation.folder)] == ["A-1", "A-2", "A-4"]


@pytest.mark.skipif(os.name != "posix", reason="a folder cannot be flushed")
def test_a_new_log_is_durable_with_its_name(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = scene.organisation.folder
    flushing, flushed = os.fsync, []

    def seen(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        flushing(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    noted = answer_log.Answered(NOW, "t", "l", "A-1", "NEED_SEAL", CHALLENGE, "o")
    answer_log.append(folder, noted)
    assert flushed == [(folder / answer_log.NAME).stat().st_ino, folder.stat().st_ino]
    assert answer_log.read(folder) == [noted]


def test_an_override_that_nobody_answered_stands_out(run: Run, scene: Scene, tmp_path: Path) -> None:
    run(*scene.ask())
    certificate, public = scene.certificate, scene.terminal.public
    previous, records = chain.genesis(public, 1), []
    for seq, (order, need) in enumerate(
        [("A-17", Verdict.NEED_SEAL), ("A-18", Verdict.NEED_SEAL), ("A-17", Verdict.NEED_ITEM)], start=1
    ):
        body = overridden(scene.terminal.id, seq, order, need)
        digest = chain.step(previous, body)
        records.append(verify_record(public, previous, body, scene.terminal.sign(digest)))
        previous = digest
    ledger = tmp_path / "dock.db"
    with Ledger.open(ledger) as store:
        store.enrol(Enrolled(scene.terminal.id, public, 1, "counter-1", 7, certificate))
        store.append(records[:1])
    audit = ("override", "audit", "--org", scene.organisation.folder, "--ledger", ledger)
    status, out, _ = run(*audit)
    assert status == 0 and json.loads(out) == {"overrides": 1, "answers": 1, "unanswered": []}
    with Ledger.open(ledger) as store:
        store.append(records[1:])
    status, out, _ = run(*audit)
    found = json.loads(out)
    assert status == 4 and found["overrides"] == 3
    assert [each["record"] for each in found["unanswered"]] == [f"{scene.terminal.id.hex()}-1-{seq}" for seq in (2, 3)]


def overridden(terminal: bytes, seq: int, order: str, need: int) -> bytes:
    """The body of a record of an override by challenge and answer."""
    head = RecordHead(
        Action.OVERRIDE,
        Verdict.OK,
        5,
        1,
        seq,
        terminal,
        1,
        0,
        0,
        NOW,
        seq,
        42,
        7,
        0,
        1,
        0,
        0,
        0,
        chain.order_ref(order.encode()),
    )
    parts = {
        Tlv.ORDER: order.encode(),
        Tlv.SUPERVISOR: bytes(4),
        Tlv.CHALLENGE: CHALLENGE.encode(),
        Tlv.NEED: bytes([need]),
    }
    return head.pack() + tlv.pack(parts)
