"""The room agrees with what NIST and the IETF published, on both interpreters."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

Ask = Callable[[list[str]], list[str]]

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# RFC 6979, A.2.5.
RFC6979_SECRET = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
RFC6979_PUBLIC = (
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)
RFC6979_SHA256 = {
    "sample": (
        "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    "test": (
        "D16B6AE827F17175E040871A1C7EC3500192C4C92677336EC2537ACAEE0008E0",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
}

# RFC 4231, cases 1, 2, 3, 4, 6, 7: keys shorter than, equal to and longer than the block of the hash.
RFC4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


def cavp(section: str) -> list[dict[str, str]]:
    """The vectors of one section of cavp_p256.rsp."""
    text = (Path(__file__).parent / "cavp_p256.rsp").read_text(encoding="ascii")
    body = text.partition(f"[{section}]\n")[2].partition("\n[")[0]
    return [dict(line.split(" = ", 1) for line in block.splitlines()) for block in body.strip().split("\n\n")]


def public(vector: dict[str, str]) -> str:
    return vector["Qx"] + vector["Qy"]


@pytest.mark.parametrize("message", RFC6979_SHA256)
def test_rfc6979(ask: Ask, message: str) -> None:
    nonce, r, s = RFC6979_SHA256[message]
    digest = sha256(message.encode()).hexdigest()
    low_s = min(int(s, 16), N - int(s, 16))
    assert ask(
        [
            f"public {RFC6979_SECRET}",
            f"nonces {N:x} {RFC6979_SECRET} {digest} - 1",
            f"sign {RFC6979_SECRET} {digest} -",
            f"verify {RFC6979_PUBLIC} {digest} {r}{s}",
        ]
    ) == [RFC6979_PUBLIC.lower(), nonce.lower(), f"{r.lower()}{low_s:064x}", "True"]


def test_hmac_sha256(ask: Ask) -> None:
    calls = [f"hmac {key.hex()} {message.hex()}" for key, message, _ in RFC4231]
    assert ask(calls) == [tag for _, _, tag in RFC4231]


def test_cavp_key_pairs(ask: Ask) -> None:
    vectors = cavp("KeyPair")
    assert len(vectors) == 10
    assert ask([f"public {v['d']}" for v in vectors]) == [public(v) for v in vectors]


def test_cavp_public_keys(ask: Ask) -> None:
    """A coordinate out of range has 65 digits there: no octet string, so one more digit makes it one."""
    vectors = cavp("PKV")
    assert len(vectors) == 12
    calls = [f"is_point {public(v)}{'0' * (len(public(v)) % 2)}" for v in vectors]
    assert ask(calls) == [str(v["Result"].startswith("P")) for v in vectors]


def test_cavp_signatures_made_elsewhere(ask: Ask) -> None:
    vectors = cavp("SigGen")
    assert len(vectors) == 15
    assert any(int(v["S"], 16) > N // 2 for v in vectors)
    calls = [
        f"{how} {public(v)} {sha256(bytes.fromhex(v['Msg'])).hexdigest()} {v['R']}{v['S']}"
        for v in vectors
        for how in ("verify", "prepared")
    ]
    assert ask(calls) == ["True"] * len(calls)


def test_cavp_verification(ask: Ask) -> None:
    vectors = cavp("SigVer")
    assert len(vectors) == 15
    calls = [f"verify {public(v)} {sha256(bytes.fromhex(v['Msg'])).hexdigest()} {v['R']}{v['S']}" for v in vectors]
    assert ask(calls) == [str(v["Result"].startswith("P")) for v in vectors]
