"""The log against published vectors, and against the plain recursive definition of RFC 9162."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.ledger.merkle import Frontier, inclusion_proof, leaf_hash, root, verify_inclusion

VECTORS = sorted(Path(__file__).with_name("merkle").glob("*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_published_inclusion_proofs(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    proof = [base64.b64decode(node) for node in vector["proof"] or []]
    leaf, expected = base64.b64decode(vector["leafHash"]), base64.b64decode(vector["root"])
    index, size = vector["leafIdx"], vector["treeSize"]
    assert verify_inclusion(leaf, index, size, proof, expected) is not vector["wantErr"]
    for position in range(len(proof)):
        forged = [*proof[:position], bytes(32), *proof[position + 1 :]]
        assert not verify_inclusion(leaf, index, size, forged, expected)
    assert not verify_inclusion(leaf, index, size, [*proof, bytes(32)], expected)


def _definition(entries: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\x01" + _definition(entries[:split]) + _definition(entries[split:])).digest()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=8), max_size=70))
def test_frontier_and_definition_agree(entries: list[bytes]) -> None:
    frontier = Frontier()
    for entry in entries:
        frontier.append(leaf_hash(entry))
    assert frontier.root() == _definition(entries) == root([leaf_hash(entry) for entry in entries])
    assert Frontier(frontier.size, frontier.peaks).root() == frontier.root()


def test_every_leaf_of_every_small_tree() -> None:
    for size in range(1, 34):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        expected = root(leaves)
        for index in range(size):
            proof = inclusion_proof(leaves, index)
            assert verify_inclusion(leaves[index], index, size, proof, expected)
            assert not verify_inclusion(leaves[index], (index + 1) % (size + 1), size, proof, expected)
            assert not verify_inclusion(leaf_hash(b"x"), index, size, proof, expected)


def test_peaks_must_fit_the_size() -> None:
    with pytest.raises(ValueError, match="3 leaves have 2 peaks"):
        Frontier(3, [bytes(32)])
