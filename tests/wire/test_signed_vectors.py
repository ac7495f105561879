"""Signed objects and records of protocol/vectors: the host's verifier and the terminal's agree on every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from vector_calls import call, values

from plomba.errors import VerificationError
from plomba.trust.keys import verify
from plomba.trust.objects import Trust, block_hashes
from plomba.trust.records import verify_chain
from plomba_wire import chain, codec
from plomba_wire.vocabulary import Error

Ask = Callable[[Iterable[str]], list[str]]
Vectors = Callable[[str], Any]


@pytest.fixture(scope="module")
def objects(vectors: Vectors) -> Any:
    return vectors("objects")


@pytest.fixture(scope="module")
def records(vectors: Vectors) -> Any:
    return vectors("chain")


def _pair(record: dict[str, str]) -> tuple[bytes, bytes]:
    return bytes.fromhex(record["body"]), bytes.fromhex(record["signature"])


def test_host_verifies_the_chain(records: Any) -> None:
    verified = verify_chain(
        bytes.fromhex(records["public"]),
        records["epoch"],
        1,
        bytes.fromhex(records["genesis"]),
        [_pair(record) for record in records["records"]],
    )
    assert [record.digest.hex() for record in verified] == [record["digest"] for record in records["records"]]


def test_host_refuses_bad_chains(records: Any) -> None:
    public, genesis = bytes.fromhex(records["public"]), bytes.fromhex(records["genesis"])
    runs = [([_pair(case)], case["reason"]) for case in records["bad_first"]]
    runs += [([_pair(record) for record in case["records"]], case["reason"]) for case in records["bad_runs"]]
    for run, reason in runs:
        with pytest.raises(VerificationError):
            verify_chain(public, records["epoch"], 1, genesis, run)
            pytest.fail(reason)


def test_terminal_checks_and_makes_the_same_signatures(ask: Ask, records: Any) -> None:
    """Without extra entropy the terminal's signer gives RFC 6979's signature, as OpenSSL does."""
    good = records["records"]
    private, public, genesis = records["private"], records["public"], records["genesis"]
    assert ask(call("genesis", public, records["epoch"]) for _ in range(1)) == [f"x{genesis}"]
    assert ask(call("fits", public, case["digest"], case["signature"]) for case in good) == ["1"] * len(good)
    assert ask(call("sign", private, case["digest"]) for case in good) == [f"x{case['signature']}" for case in good]
    previous = [genesis, *(case["digest"] for case in good[:-1])]
    steps = [call("step", before, case["body"]) for before, case in zip(previous, good, strict=True)]
    assert ask(steps) == [f"x{case['digest']}" for case in good]


def test_terminal_refuses_bad_signatures(ask: Ask, records: Any) -> None:
    bad = records["bad_first"]
    digests = [chain.step(bytes.fromhex(records["genesis"]), bytes.fromhex(case["body"])).hex() for case in bad]
    calls = [
        call("fits", records["public"], digest, case["signature"]) for digest, case in zip(digests, bad, strict=True)
    ]
    passed = [case["reason"] for case, answer in zip(bad, ask(calls), strict=True) if answer != "0"]
    assert not passed


def test_host_reads_certificates(objects: Any) -> None:
    trust = Trust(bytes.fromhex(objects["root"]))
    for case in objects["certificates"]:
        certificate = trust.certificate(bytes.fromhex(case["bytes"]), now=objects["now"])
        assert _fields(certificate) == values("Certificate", case["fields"])


def _fields(message: codec.Layout) -> list[str]:
    found = [getattr(message, name) for name in message.FIELDS]
    return [f"x{value.hex()}" if isinstance(value, bytes) else str(value) for value in found]


def test_host_opens_good_bundles(objects: Any) -> None:
    trust = Trust(bytes.fromhex(objects["root"]))
    for case in objects["good"]:
        content = bytes.fromhex(case.get("content", ""))
        signed = trust.open(bytes.fromhex(case["bundle"]) + content, case["kind"], now=objects["now"])
        assert signed.envelope.version == case["version"]
        name, fields = case["layout"], case["fields"]
        if content:
            assert signed.body == content
            name, fields = case["content_layout"], case["content_fields"]
        layout = getattr(codec, name)
        assert _fields(layout.read(signed.body, 0)) == values(name, fields), case["name"]


def test_host_refuses_content_that_the_list_does_not_name(objects: Any) -> None:
    trust = Trust(bytes.fromhex(objects["root"]))
    [case] = [case for case in objects["good"] if "content" in case]
    bundle, content = bytes.fromhex(case["bundle"]), bytearray.fromhex(case["content"])
    for at in range(len(content)):
        content[at] ^= 1
        with pytest.raises(VerificationError):
            trust.open(bundle + content, case["kind"], now=objects["now"])
        content[at] ^= 1
    for wrong in (b"", content[:-1], content + b"\0"):
        with pytest.raises(VerificationError):
            trust.open(bundle + wrong, case["kind"], now=objects["now"])


def test_block_lists(ask_board: Ask, objects: Any) -> None:
    lists = objects["block_lists"]
    for case in lists["good"]:
        content = bytes(at % 251 for at in range(case["size"]))
        assert block_hashes(content).hex() == case["hashes"]
    answers = ask_board(f"block_list x{case['bytes']}" for case in [*lists["good"], *lists["bad"]])
    good = [f"{case['size']} x{case['hashes']}" for case in lists["good"]]
    assert answers == good + [f"Refusal {Error.MALFORMED}"] * len(lists["bad"])


def test_host_refuses_bad_bundles(objects: Any) -> None:
    trust = Trust(bytes.fromhex(objects["root"]))
    codes = {}
    for case in objects["bad"]:
        with pytest.raises(VerificationError) as refused:
            trust.open(bytes.fromhex(case["bundle"]), case["kind"], now=objects["now"])
            pytest.fail(case["reason"])
        codes[case["reason"]] = refused.value.code
    assert [reason for reason, code in codes.items() if code == "root_foreign"] == [
        "a certificate by another root",
        "a certificate by a desk",
    ]


def test_terminal_opens_good_bundles(ask: Ask, objects: Any) -> None:
    good = objects["good"]
    answers = ask(_opening(objects, case, case["layout"]) for case in good)
    assert answers == [" ".join([str(case["version"]), *values(case["layout"], case["fields"])]) for case in good]


def test_terminal_refuses_bad_bundles_for_the_reason(ask: Ask, objects: Any) -> None:
    bad = objects["bad"]
    answers = ask(_opening(objects, case, "ReceiptBody") for case in bad)
    got = [(case["reason"], answer) for case, answer in zip(bad, answers, strict=True)]
    assert got == [(case["reason"], f"Refusal {getattr(Error, case['error'])}") for case in bad]


def _opening(objects: Any, case: dict[str, Any], layout: str) -> str:
    return f"open x{objects['root']} {objects['now']} {case['kind']} x{case['bundle']} {layout}"


def test_rows_of_a_manifest(objects: Any) -> None:
    [case] = [case for case in objects["good"] if "content" in case]
    body = bytes.fromhex(case["content"])
    at = codec.ManifestHead.SIZE
    for layout, rows in ((codec.OrderRow, case["orders"]), (codec.CodeRow, case["codes"])):
        for row in rows:
            assert _fields(layout.unpack(body[at : at + layout.SIZE])) == values(layout.__name__, row)
            at += layout.SIZE
    assert at == len(body)
    tags = [row["tag"] for row in case["codes"]]
    assert tags == sorted(tags) and [row["ref"] for row in case["orders"]] == sorted(
        row["ref"] for row in case["orders"]
    )


def test_digests_and_signatures_of_bundles(objects: Any) -> None:
    publics = [bytes.fromhex(key["public"]) for key in objects["keys"].values()]
    for case in objects["good"]:
        digest, signature = bytes.fromhex(case["digest"]), bytes.fromhex(case["signature"])
        assert sum(verify(public, digest, signature) for public in publics) == 1, case["name"]
