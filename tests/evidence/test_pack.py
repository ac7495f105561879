"""A pack proves an order's story to somebody who trusts one fingerprint, or it is refused with the place."""

from __future__ import annotations

import io
import zipfile

import pytest
from evidence_archive import NOW, ORDER, Archive
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.errors import PlombaError, VerificationError
from plomba.evidence import container, verify_pack
from plomba.evidence.make import description
from plomba.evidence.timeline import facts, render
from plomba.texts import LANGUAGES, say
from plomba_wire.schema import VOCABULARY


def test_a_good_pack_tells_the_story(archive: Archive) -> None:
    evidence = verify_pack(archive.pack(), archive.organisation.fingerprint)
    assert evidence.order == ORDER
    assert [entry.record.head.seq for entry in evidence.entries] == [2, 4, 6, 8, 10, 12]
    assert [(entry.after, entry.before) for entry in evidence.entries] == [
        (0, NOW),
        (0, NOW),
        (NOW, NOW + 100),
        (NOW, NOW + 100),
        (NOW + 100, NOW + 200),
        (NOW + 100, NOW + 200),
    ]
    assert evidence.rules == {1: b'{"number":1}'}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_timeline_shows_hostile_codes_as_data(archive: Archive, lang: str) -> None:
    text = render(verify_pack(archive.pack(), archive.organisation.fingerprint), lang)
    assert "\\x1b[31m" in text and "\x1b" not in text
    assert ORDER in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_timeline_says_how_the_key_is_kept(archive: Archive, lang: str) -> None:
    text = render(verify_pack(archive.pack(), archive.organisation.fingerprint), lang)
    kept = {name: say("evidence", f"key_{name.lower()}", lang, terminals="till") for name in VOCABULARY["protection"]}
    assert [name for name, line in kept.items() if line in text.splitlines()] == ["OPEN"]


def test_the_same_order_makes_the_same_bytes(archive: Archive) -> None:
    assert archive.pack() == archive.pack()


def test_every_byte_counts(archive: Archive) -> None:
    """Each byte of the file, inverted in one bit: never accepted, always located."""
    pack = archive.pack()
    for at in range(len(pack)):
        bad = pack[:at] + bytes([pack[at] ^ 1 << at % 8]) + pack[at + 1 :]
        with pytest.raises(VerificationError) as caught:
            verify_pack(bad, archive.organisation.fingerprint)
        assert caught.value.exit_status == 4
        assert caught.value.fields.get("where") or caught.value.code == "root_foreign", at


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_cut_stretched_and_overwritten_packs_are_refused(archive: Archive, data: st.DataObject) -> None:
    pack = archive.pack()
    at = data.draw(st.integers(0, len(pack)))
    mutated = data.draw(
        st.sampled_from(
            [
                pack[:at],
                pack[:at] + b"\0" + pack[at:],
                pack[at:],
                pack + pack,
                pack[:at] + data.draw(st.binary(min_size=1, max_size=40)) + pack[at:],
            ]
        )
    )
    if mutated != pack:
        with pytest.raises(VerificationError):
            verify_pack(mutated, archive.organisation.fingerprint)


def test_a_foreign_root(archive: Archive) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_pack(archive.pack(), "00" * 32)
    assert caught.value.code == "root_foreign"


def _members(archive: Archive) -> dict[str, bytes]:
    return container.read(archive.pack())


def _refused(members: dict[str, bytes], archive: Archive) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_pack(container.write(members), archive.organisation.fingerprint)
    return caught.value.fields["where"]


def test_a_member_missing_or_added(archive: Archive) -> None:
    for name in _members(archive):
        members = _members(archive)
        if name.startswith("rules/"):
            continue
        del members[name]
        assert _refused(members, archive), name
    members = _members(archive) | {"note.txt": b"trust me"}
    assert _refused(members, archive) == "note.txt"


def test_a_record_of_another_order_does_not_belong(archive: Archive) -> None:
    members = _members(archive)
    other = container.read(archive.pack("OTHER"))
    for name, content in other.items():
        members.setdefault(name, content)
    assert "does not belong" in _reason(members, archive)


def test_another_order_cannot_be_claimed(archive: Archive) -> None:
    members = _members(archive)
    members["plomba.json"] = description("SOMEBODY-ELSE")
    assert _refused(members, archive) == "plomba.json"


def test_a_proof_of_another_record(archive: Archive) -> None:
    members = _members(archive)
    proofs = sorted(name for name in members if name.startswith("proofs/"))
    members[proofs[0]], members[proofs[1]] = members[proofs[1]], members[proofs[0]]
    assert _refused(members, archive) in proofs


def test_a_compressed_or_commented_zip_is_not_canonical(archive: Archive) -> None:
    for compression, comment in ((zipfile.ZIP_DEFLATED, b""), (zipfile.ZIP_STORED, b"hi")):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archived:
            archived.comment = comment
            for name, content in _members(archive).items():
                archived.writestr(name, content)
        with pytest.raises(VerificationError):
            verify_pack(buffer.getvalue(), archive.organisation.fingerprint)


def test_an_order_nobody_scanned(archive: Archive) -> None:
    with pytest.raises(PlombaError) as caught:
        archive.pack("nobody")
    assert caught.value.code == "pack_empty"


def test_the_machine_readable_timeline(archive: Archive) -> None:
    told = facts(verify_pack(archive.pack(), archive.organisation.fingerprint))
    assert told["schema"] == "plomba/evidence-timeline/1"
    assert told["entries"][0]["action"] == "STORE"
    assert told["entries"][0]["before"] == "2026-09-21T14:13:20Z"


def _reason(members: dict[str, bytes], archive: Archive) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_pack(container.write(members), archive.organisation.fingerprint)
    return caught.value.fields["reason"]
