"""The vectors of digests and of a chain of signed records."""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Any

from plomba_wire.schema import LAYOUTS, VOCABULARY
from vector_keys import DOCK, EPOCH, KEYS, ROOT, TERMINAL, N, genesis, sha256, step
from vector_values import octets

Case = dict[str, Any]

_BOOTED = 1_782_864_000


def digests() -> Case:
    """Input and output of each digest of SPEC.md, section 3."""
    nonce, salt = octets("nonce", 16), octets("salt", 16)
    previous, body = octets("previous", 32), octets("body", 90)
    codes = {"PLB-0001": 1, "PLB1:SEAL:0001": 2, "0461234567890123": 3, "": 1, "заказ-17": 1}
    return {
        "key_id": [{"public": key.public.hex(), "id": key.id.hex()} for key in KEYS.values()],
        "genesis": [
            {"public": ROOT.public.hex(), "epoch": epoch, "digest": genesis(ROOT, epoch).hex()}
            for epoch in (0, 1, 65535)
        ],
        "step": [
            {"previous": previous.hex(), "body": body[:length].hex(), "digest": step(previous, body[:length]).hex()}
            for length in (0, 1, 54, 90)
        ],
        "object": [
            {"unsigned": body[:length].hex(), "digest": sha256(b"plomba/object/1", body[:length]).hex()}
            for length in (0, 30, 90)
        ],
        "possession": [
            {
                "nonce": nonce.hex(),
                "public": TERMINAL.public.hex(),
                "epoch": epoch,
                "protection": protection,
                "digest": sha256(
                    b"plomba/enroll/1", nonce, TERMINAL.public, struct.pack(">HB", epoch, protection)
                ).hex(),
            }
            for epoch, protection in ((1, 1), (258, 3))
        ],
        "head": [
            {
                "nonce": nonce.hex(),
                "terminal": TERMINAL.id.hex(),
                "epoch": epoch,
                "next_seq": next_seq,
                "head": previous.hex(),
                "digest": sha256(
                    b"plomba/head/1", nonce, TERMINAL.id, struct.pack(">HI", epoch, next_seq), previous
                ).hex(),
            }
            for epoch, next_seq in ((1, 1), (258, 0x01020304))
        ],
        "code_tag": [
            {
                "salt": salt.hex(),
                "kind": kind,
                "code": code.encode().hex(),
                "tag": sha256(salt, bytes((kind,)), code.encode())[:12].hex(),
            }
            for code, kind in codes.items()
        ],
        "order_ref": [
            {"order": code.encode().hex(), "ref": int.from_bytes(sha256(code.encode())[:4], "big")} for code in codes
        ],
        "pin_proof": [
            {"salt": salt[:8].hex(), "badge": badge, "pin": pin.hex(), "proof": _pin_proof(salt[:8], badge, pin).hex()}
            for badge, pin in ((1, b"0000"), (42, b"1234"), (999999999, b"87654321"))
        ],
        "challenge": [
            {
                "terminal": TERMINAL.id.hex(),
                "epoch": epoch,
                "seq": seq,
                "order_ref": order_ref,
                "challenge": _eight(
                    sha256(b"plomba/challenge/1", TERMINAL.id, struct.pack(">HII", epoch, seq, order_ref))
                ).hex(),
            }
            for epoch, seq, order_ref in ((1, 1, 0), (1, 2, 0), (258, 0x01020304, 0xFFFFFFFF))
        ],
        "answer": [
            {
                "shared": previous.hex(),
                "terminal": TERMINAL.id.hex(),
                "order": code.encode().hex(),
                "need": need,
                "challenge": b"01234567".hex(),
                "answer": _answer(previous, TERMINAL.id, code.encode(), need, b"01234567").hex(),
            }
            for code in codes
            for need in (3, 11)
        ],
    }


def _pin_proof(salt: bytes, badge: int, pin: bytes) -> bytes:
    state = sha256(b"plomba/pin/1", salt, badge.to_bytes(4, "big"), pin)
    for _ in range(999):
        state = sha256(state)
    return state[:16]


def _eight(tag: bytes) -> bytes:
    return f"{int.from_bytes(tag[:8], 'big') % 10**8:08d}".encode()


def _answer(shared: bytes, terminal: bytes, order: bytes, need: int, challenge: bytes) -> bytes:
    message = struct.pack(f">8sB{len(order)}sB8s", terminal, len(order), order, need, challenge)
    return _eight(hmac.digest(sha256(b"plomba/answer/1", shared), message, hashlib.sha256))


def chain() -> Case:
    """Three records of one terminal, and what must not pass for them."""
    signed = signed_records()
    (first, second, third) = signed
    high = N - int.from_bytes(first[1][32:], "big")
    zero, order = bytes(32), N.to_bytes(32, "big")
    bad = {
        "a bit of a body flipped": (first[0][:50] + bytes((first[0][50] ^ 1,)) + first[0][51:], first[1]),
        "a bit of a signature flipped": (first[0], first[1][:-1] + bytes((first[1][-1] ^ 1,))),
        "a high s": (first[0], first[1][:32] + high.to_bytes(32, "big")),
        "r of zero": (first[0], zero + first[1][32:]),
        "s of zero": (first[0], first[1][:32] + zero),
        "r of the order": (first[0], order + first[1][32:]),
        "a signature one byte short": (first[0], first[1][:-1]),
        "another record's signature": (first[0], second[1]),
        "the second record for the first": second,
        "signed by another key": (
            first[0],
            DOCK.sign(b"plomba/record/1" + genesis(TERMINAL, EPOCH) + first[0]),
        ),
        "chained to another genesis": (
            first[0],
            TERMINAL.sign(b"plomba/record/1" + genesis(TERMINAL, EPOCH + 1) + first[0]),
        ),
        "signed without the domain text": (first[0], TERMINAL.sign(genesis(TERMINAL, EPOCH) + first[0])),
    }
    previous = genesis(TERMINAL, EPOCH)
    records = []
    for body, signature in signed:
        previous = step(previous, body)
        records.append({"body": body.hex(), "signature": signature.hex(), "digest": previous.hex()})
    bad_runs = {
        "a record left out": [first, third],
        "two records changed round": [first, third, second],
        "a record twice": [first, first, second],
        "a number left out": signed_records(seqs=(1, 2, 4)),
        "a number twice": signed_records(seqs=(1, 2, 2)),
        "numbers from 0": signed_records(seqs=(0, 1, 2)),
        "another epoch's number": signed_records(epoch=EPOCH + 1),
        "in another terminal's name": signed_records(terminal=DOCK.id),
    }
    return {
        "private": f"{TERMINAL.d:064x}",
        "public": TERMINAL.public.hex(),
        "epoch": EPOCH,
        "genesis": genesis(TERMINAL, EPOCH).hex(),
        "records": records,
        "bad_first": [
            {"body": body.hex(), "signature": signature.hex(), "reason": reason}
            for reason, (body, signature) in bad.items()
        ],
        "bad_runs": [
            {
                "records": [{"body": body.hex(), "signature": signature.hex()} for body, signature in run],
                "reason": reason,
            }
            for reason, run in bad_runs.items()
        ],
    }


def signed_records(
    *, seqs: tuple[int, int, int] = (1, 2, 3), epoch: int = EPOCH, terminal: bytes = TERMINAL.id
) -> list[tuple[bytes, bytes]]:
    """Body and signature of three records, rightly chained and signed whatever they say of themselves."""
    previous = genesis(TERMINAL, EPOCH)
    out = []
    done = (("BOOT", "NOTED", b""), ("SEAL_APPLY", "OK", b"PLB1:SEAL:0001"), ("HANDOUT", "OK", b"PLB-0001"))
    for seq, (action, verdict, code) in zip(seqs, done, strict=True):
        head = {
            "action": VOCABULARY["action"][action]["code"],
            "verdict": VOCABULARY["verdict"][verdict]["code"],
            "flags": 1,
            "epoch": epoch,
            "seq": seq,
            "terminal": terminal,
            "boot": 1,
            "tries": 1,
            "symbology": VOCABULARY["symbology"]["QR"]["code"],
            "t_utc": _BOOTED + seq,
            "t_mono_ms": 1000 * seq,
            "actor": 0,
            "place": 7,
            "route": 0,
            "rules": 1,
            "code_kind": VOCABULARY["code_kind"]["SEAL"]["code"],
            "state_before": 0,
            "state_after": 0,
            "order_ref": 0,
        }
        body = LAYOUTS["RecordHead"].build(head) + struct.pack(">BH", 1, len(code)) + code
        out.append((body, TERMINAL.sign(b"plomba/record/1" + previous + body)))
        previous = step(previous, body)
    return out
