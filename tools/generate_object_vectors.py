"""The vectors of signed objects: certificates, and bundles that a verifier takes or refuses."""

from __future__ import annotations

import struct
from typing import Any

from generate_chain_vectors import signed_records
from plomba_wire.schema import BLOCK, LAYOUTS, VOCABULARY
from vector_keys import DESK, DOCK, EPOCH, KEYS, OTHER, ROOT, TERMINAL, Key, N, genesis, sha256, step
from vector_values import octets, plain

Case = dict[str, Any]

NOW = 1_782_864_000
"""What the verifier's clock shows, s since 1970."""
_BEGIN = 1_767_225_600
_END = 2_082_758_400
_VERSION = 17


def objects() -> Case:
    """Certificates and bundles. A verifier pins `root` and its clock shows `now`."""
    return {
        "keys": {
            name: {"private": f"{key.d:064x}", "public": key.public.hex(), "id": key.id.hex()}
            for name, key in KEYS.items()
        },
        "root": ROOT.public.hex(),
        "now": NOW,
        "certificates": [
            {"name": name, "bytes": certificate(key, role).hex(), "fields": plain(_certified(key, role))}
            for name, key, role in (("dock", DOCK, "DOCK"), ("desk", DESK, "DESK"), ("terminal", TERMINAL, "TERMINAL"))
        ],
        "good": _good_bundles(),
        "bad": _bad_bundles(),
        "block_lists": _block_lists(),
    }


def sealed(kind: str, body: bytes, key: Key, **changes: Any) -> bytes:
    """A signed object; `changes` put other values into its envelope."""
    fields = {
        "kind": VOCABULARY["object_kind"][kind]["code"],
        "key_id": key.id,
        "version": _VERSION,
        "not_before": _BEGIN,
        "not_after": _END,
        "length": len(body),
        **changes,
    }
    unsigned = LAYOUTS["Envelope"].build(fields) + body
    return unsigned + key.sign(b"plomba/object/1" + unsigned)


def certificate(key: Key, role: str, by: Key = ROOT, public: bytes = b"", **changes: Any) -> bytes:
    body = LAYOUTS["Certificate"].build({**_certified(key, role), **({"public": public} if public else {})})
    return sealed("CERTIFICATE", body, by, **changes)


def bundled(certificate: bytes, signed: bytes) -> bytes:
    return struct.pack(">H", len(certificate)) + certificate + signed


def _certified(key: Key, role: str) -> dict[str, Any]:
    return {
        "role": VOCABULARY["role"][role]["code"],
        "protection": 1,
        "epoch": EPOCH if key is TERMINAL else 1,
        "public": key.public,
        "label": f"{role.lower()} 1".encode(),
    }


def _bodies() -> dict[str, tuple[str, dict[str, Any]]]:
    """Object kind -> layout of its body and the fields."""
    head = step(genesis(TERMINAL, EPOCH), signed_records()[0][0])
    return {
        "RECEIPT": (
            "ReceiptBody",
            {
                "terminal": TERMINAL.id,
                "epoch": EPOCH,
                "up_to": 1,
                "head": head,
                "utc": NOW,
                "log_size": 1 << 33,
                "log_root": octets("log root", 32),
            },
        ),
        "TIME": (
            "TimeBody",
            {
                "terminal": TERMINAL.id,
                "device_nonce": octets("device nonce", 16),
                "utc": NOW,
                "uncertainty_ms": 2000,
            },
        ),
    }


def _manifest() -> tuple[bytes, Case]:
    """A manifest of two orders and three codes: its body and its rows."""
    salt = octets("manifest salt", 16)
    orders = {"PLB-0001": (1, 11, 1, 1, b"S-01"), "PLB-0002": (0, 11, 0, 0, b"")}
    codes = [("PLB-0001", 1, "PLB-0001"), ("PLB-0001", 2, "PLB1:SEAL:0001"), ("PLB-0002", 1, "PLB-0002")]
    refs = {id: int.from_bytes(sha256(id.encode())[:4], "big") for id in orders}
    ids = sorted(orders, key=lambda id: refs[id])
    order_rows = []
    for id in ids:
        order_class, state, here, seals, cell = orders[id]
        order_rows.append(
            {
                "ref": refs[id],
                "order_class": order_class,
                "state": state,
                "here": here,
                "seals": seals,
                "cell": cell.ljust(8, b"\0"),
            }
        )
    code_rows = []
    for id, kind, code in codes:
        tag = sha256(salt, bytes((kind,)), code.encode())[:12]
        code_rows.append({"tag": tag, "order": ids.index(id), "kind": kind, "flags": 0})
    code_rows.sort(key=lambda row: row["tag"])
    head = {
        "terminal": TERMINAL.id,
        "epoch": EPOCH,
        "through_seq": 3,
        "place": 7,
        "salt": salt,
        "orders": len(order_rows),
        "codes": len(code_rows),
    }
    body = LAYOUTS["ManifestHead"].build(head)
    body += b"".join(LAYOUTS["OrderRow"].build(row) for row in order_rows)
    body += b"".join(LAYOUTS["CodeRow"].build(row) for row in code_rows)
    rows = {"orders": [plain(row) for row in order_rows], "codes": [plain(row) for row in code_rows]}
    return body, {"content_fields": plain(head), **rows}


def _good_bundles() -> list[Case]:
    bodies = _bodies()
    cases = []
    for name, kind, key, role, changes in (
        ("a receipt", "RECEIPT", DOCK, "DOCK", {}),
        ("a receipt without an end", "RECEIPT", DOCK, "DOCK", {"not_after": 0}),
        ("a receipt in its first second", "RECEIPT", DOCK, "DOCK", {"not_before": NOW}),
        ("a receipt in its last second", "RECEIPT", DOCK, "DOCK", {"not_after": NOW}),
        ("the time from a dock", "TIME", DOCK, "DOCK", {}),
        ("the time from a desk", "TIME", DESK, "DESK", {}),
    ):
        layout, fields = bodies[kind]
        signed = sealed(kind, LAYOUTS[layout].build(fields), key, **changes)
        cases.append(_good(name, kind, bundled(certificate(key, role), signed), layout, {"fields": plain(fields)}))
    content, rows = _manifest()
    blocks = {"size": len(content), "hashes": _hashes(content)}
    signed = sealed("MANIFEST", LAYOUTS["BlockList"].build(blocks), DESK)
    manifest = bundled(certificate(DESK, "DESK"), signed)
    listed = {"fields": plain(blocks), "content": content.hex(), "content_layout": "ManifestHead", **rows}
    cases.append(_good("a manifest", "MANIFEST", manifest, "BlockList", listed))
    return cases


def _block_lists() -> Case:
    """Lists for contents whose byte number i is i mod 251, and lists that name no content of their size."""
    good = []
    for size in (1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK):
        fields = {"size": size, "hashes": _hashes(bytes(at % 251 for at in range(size)))}
        good.append({**plain(fields), "bytes": LAYOUTS["BlockList"].build(fields).hex()})
    bad = [
        ("no hash for the only byte", 1, b""),
        ("nothing", 0, b""),
        ("a hash for nothing", 0, bytes(32)),
        ("a hash too few", BLOCK + 1, bytes(32)),
        ("a hash too many", BLOCK, bytes(64)),
        ("half a hash", 1, bytes(31)),
    ]
    return {
        "good": good,
        "bad": [
            {"reason": reason, "bytes": LAYOUTS["BlockList"].build({"size": size, "hashes": hashes}).hex()}
            for reason, size, hashes in bad
        ],
    }


def _hashes(content: bytes) -> bytes:
    return b"".join(sha256(content[at : at + BLOCK]) for at in range(0, len(content), BLOCK))


def _good(name: str, kind: str, bundle: bytes, layout: str, content: Case) -> Case:
    code = VOCABULARY["object_kind"][kind]["code"]
    unsigned = bundle[2 + int.from_bytes(bundle[:2], "big") : -64]
    return {
        "name": name,
        "kind": code,
        "version": _VERSION,
        "bundle": bundle.hex(),
        "digest": sha256(b"plomba/object/1", unsigned).hex(),
        "signature": bundle[-64:].hex(),
        "layout": layout,
        **content,
    }


def _bad_bundles() -> list[Case]:
    layout, fields = _bodies()["RECEIPT"]
    body = LAYOUTS[layout].build(fields)
    by_dock = certificate(DOCK, "DOCK")
    receipt = sealed("RECEIPT", body, DOCK)
    whole = bundled(by_dock, receipt)
    unsigned, signature = receipt[:-64], receipt[-64:]
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    zero, order = bytes(32), N.to_bytes(32, "big")
    # A point has y with y * y = x ** 3 - 3 x + b; with x = 1 and y = 1 that does not come out.
    no_point = bytes(31) + b"\1" + bytes(31) + b"\1"
    borrowed = sealed("RECEIPT", body, DESK, key_id=DOCK.id)
    long_label = {**_certified(DOCK, "DOCK"), "label": b"d" * 32}
    too_long = sealed("CERTIFICATE", LAYOUTS["Certificate"].build(long_label) + bytes(20), ROOT)
    bad: dict[str, list[tuple[str, bytes]]] = {
        "BAD_SIGNATURE": [
            ("a bit of the signature flipped", whole[:-1] + bytes((whole[-1] ^ 1,))),
            ("a high s", bundled(by_dock, unsigned + r + (N - s).to_bytes(32, "big"))),
            ("r of zero", bundled(by_dock, unsigned + zero + signature[32:])),
            ("s of zero", bundled(by_dock, unsigned + r + zero)),
            ("r of the order", bundled(by_dock, unsigned + order + signature[32:])),
            ("a bit of the body flipped", bundled(by_dock, _flipped(receipt, 40))),
            ("another version", bundled(by_dock, _flipped(receipt, 17))),
            ("signed by another key", bundled(by_dock, borrowed)),
            ("signed without the domain text", bundled(by_dock, unsigned + DOCK.sign(unsigned))),
            ("a certificate's role changed", bundled(_flipped(by_dock, 30), receipt)),
            ("a certificate by another key", bundled(certificate(DOCK, "DOCK", OTHER, key_id=ROOT.id), receipt)),
            ("a certified key that is no point", _for_no_point(no_point, body)),
        ],
        "UNKNOWN_KEY": [
            ("a certificate by another root", bundled(certificate(DOCK, "DOCK", OTHER), receipt)),
            ("a certificate by a desk", bundled(certificate(DOCK, "DOCK", DESK), receipt)),
            ("another key than the certified one", bundled(by_dock, sealed("RECEIPT", body, DESK))),
            (
                "a root's object that is no certificate",
                bundled(sealed("TIME", LAYOUTS["Certificate"].build(_certified(DOCK, "DOCK")), ROOT), receipt),
            ),
        ],
        "WRONG_ROLE": [
            ("a receipt by a desk", bundled(certificate(DESK, "DESK"), sealed("RECEIPT", body, DESK))),
            ("a receipt by a terminal", bundled(certificate(TERMINAL, "TERMINAL"), sealed("RECEIPT", body, TERMINAL))),
        ],
        "EXPIRED": [
            ("after its last second", bundled(by_dock, sealed("RECEIPT", body, DOCK, not_after=NOW - 1))),
            ("before its first second", bundled(by_dock, sealed("RECEIPT", body, DOCK, not_before=NOW + 1))),
            ("a certificate out of date", bundled(certificate(DOCK, "DOCK", not_after=NOW - 1), receipt)),
            ("a certificate of tomorrow", bundled(certificate(DOCK, "DOCK", not_before=NOW + 1), receipt)),
        ],
        "MALFORMED": [
            ("no bytes", b""),
            ("one byte", b"\0"),
            ("no object", bundled(by_dock, b"")),
            ("one byte short", whole[:-1]),
            ("one byte too many", whole + b"\0"),
            ("a certificate of no bytes", bundled(b"", receipt)),
            ("a certificate over 200 bytes", bundled(too_long, receipt)),
            ("a certificate longer than the bytes there are", b"\x00\xc8" + by_dock),
            ("a certificate whose length lies", bundled(certificate(DOCK, "DOCK", length=0), receipt)),
            ("an object whose length lies", bundled(by_dock, sealed("RECEIPT", body, DOCK, length=len(body) - 1))),
            ("another magic", bundled(by_dock, _flipped(receipt, 3))),
            ("another algorithm", bundled(by_dock, _flipped(receipt, 5))),
            ("a kind outside the vocabulary", bundled(by_dock, _flipped(receipt, 4, 0x80))),
            ("another kind than was asked for", bundled(by_dock, sealed("TIME", body, DOCK))),
        ],
    }
    return [
        {"bundle": bundle.hex(), "kind": VOCABULARY["object_kind"]["RECEIPT"]["code"], "reason": reason, "error": error}
        for error, cases in bad.items()
        for reason, bundle in cases
    ]


def _for_no_point(public: bytes, body: bytes) -> bytes:
    owner = certificate(DOCK, "DOCK", public=public)
    return bundled(owner, sealed("RECEIPT", body, DOCK, key_id=sha256(public)[:8]))


def _flipped(data: bytes, at: int, bits: int = 0x01) -> bytes:
    return data[:at] + bytes((data[at] ^ bits,)) + data[at + 1 :]
