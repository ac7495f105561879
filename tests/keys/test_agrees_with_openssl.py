"""What the terminal signs, OpenSSL verifies, and the other way round."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

Ask = Callable[[list[str]], list[str]]

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DETERMINISTIC = ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)

long = (pytest.mark.long, pytest.mark.timeout(1200))
how_many_signed = pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=long)])
how_many = pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=long)])
BATCH = 2_000


def keys(rng: random.Random, count: int) -> list[ec.EllipticCurvePrivateKey]:
    return [ec.derive_private_key(rng.randrange(1, N), ec.SECP256R1()) for _ in range(count)]


def secret(key: ec.EllipticCurvePrivateKey) -> str:
    return f"{key.private_numbers().private_value:064x}"


def public(key: ec.EllipticCurvePrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    return f"{numbers.x:064x}{numbers.y:064x}"


def openssl_signs(key: ec.EllipticCurvePrivateKey, digest: bytes) -> tuple[int, int]:
    return decode_dss_signature(key.sign(digest, DETERMINISTIC))


def openssl_accepts(key: ec.EllipticCurvePrivateKey, digest: bytes, signature: bytes) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.public_key().verify(encode_dss_signature(r, s), digest, DETERMINISTIC)
    except InvalidSignature:
        return False
    return True


@how_many_signed
def test_openssl_verifies_what_the_terminal_signs(ask_board: Ask, count: int) -> None:
    rng = random.Random(6979)
    cases = [
        (key, rng.randbytes(32), rng.randbytes(rng.choice((1, 16, 32, 32, 80))))
        for key in keys(rng, count // 25)
        for _ in range(25)
    ]
    answers = ask_board([f"sign {secret(key)} {digest.hex()} {extra.hex()}" for key, digest, extra in cases])
    signatures = [bytes.fromhex(answer) for answer in answers]
    assert len(signatures) == count
    for (key, digest, _), signature in zip(cases, signatures, strict=True):
        assert len(signature) == 64
        assert openssl_accepts(key, digest, signature)
        assert int.from_bytes(signature[32:], "big") <= N // 2
    assert len({signature[:32] for signature in signatures}) == count


def test_without_extra_entropy_both_sign_alike(ask_board: Ask) -> None:
    rng = random.Random(312)
    cases = [(key, rng.randbytes(32)) for key in keys(rng, 10) for _ in range(10)]
    expected = []
    for key, digest in cases:
        r, s = openssl_signs(key, digest)
        expected.append(f"{r:064x}{min(s, N - s):064x}")
    assert ask_board([f"sign {secret(key)} {digest.hex()} -" for key, digest in cases]) == expected


def test_extra_entropy_moves_the_nonce(ask: Ask) -> None:
    rng = random.Random(36)
    call = f"sign {secret(keys(rng, 1)[0])} {rng.randbytes(32).hex()} "
    answers = ask([call + extra for extra in ("-", "00", "0000", "01" * 32, "02" * 32, "-", "01" * 32)])
    assert len({answer[:64] for answer in answers}) == 5
    assert answers[5] == answers[0] and answers[6] == answers[3]


@how_many
def test_the_terminal_verifies_what_openssl_signs(ask_board: Ask, count: int) -> None:
    """s as it comes, and N - s: both are signatures. Half without a prepared table, half with one."""
    rng = random.Random(1865)
    calls = []
    for key in keys(rng, count // 20):
        for at in range(20):
            digest = rng.randbytes(32)
            r, s = openssl_signs(key, digest)
            calls.append(
                f"{'prepared' if at >= 10 else 'verify'} {public(key)} {digest.hex()} "
                f"{r:064x}{N - s if at % 2 else s:064x}"
            )
    assert set(ask_board(calls)) == {"True"}


def differential(seed: int) -> list[tuple[str, bool]]:
    """Calls, and what OpenSSL makes of each: signatures that are good, malleated, damaged, of another key or digest,
    and numbers at the edges of their range. 200 keys serve a batch: half of the cases have a prepared table."""
    rng = random.Random(seed)
    pool = keys(rng, 200)
    edges = (0, 1, 2, N - 1, N, N + 1, (1 << 256) - 1, N // 2, N // 2 + 1)
    cases = []
    for number in range(BATCH):
        key, other = rng.choice(pool), rng.choice(pool)
        digest = rng.randbytes(32)
        r, s = openssl_signs(key, digest)
        how = rng.randrange(8)
        if how == 1:
            s = N - s
        elif how == 2:
            r ^= 1 << rng.randrange(256)
        elif how == 3:
            s ^= 1 << rng.randrange(256)
        elif how == 4:
            digest = (int.from_bytes(digest, "big") ^ 1 << rng.randrange(256)).to_bytes(32, "big")
        elif how == 5:
            key = other
        elif how == 6:
            r, s = rng.choice(((rng.choice(edges), s), (r, rng.choice(edges))))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        word = "prepared" if number % 2 else "verify"
        call = f"{word} {public(key)} {digest.hex()} {signature.hex()}"
        cases.append((call, openssl_accepts(key, digest, signature)))
    return cases


@pytest.mark.parametrize(
    "batches",
    [1, pytest.param(500, marks=(pytest.mark.long, pytest.mark.timeout(7200)))],
    ids=["2000 cases", "a million cases"],
)
def test_terminal_and_openssl_decide_alike(ask_board: Ask, batches: int) -> None:
    """A million cases take more than half an hour on two cores: two interpreters work at a time."""

    def wrong(seed: int) -> list[str]:
        cases = differential(seed)
        assert {expected for _, expected in cases} == {True, False}
        answers = ask_board([call for call, _ in cases])
        return [call for (call, expected), answer in zip(cases, answers, strict=True) if answer != str(expected)]

    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(wrong, range(batches)):
            assert not found


def test_every_flipped_bit_is_refused(ask: Ask) -> None:
    """One bit of the signature, of the digest or of the key; a signature of one byte more or less."""
    rng = random.Random(1)
    key, other = keys(rng, 2)
    digest = rng.randbytes(32)
    r, s = openssl_signs(key, digest)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def flipped(data: bytes, bit: int) -> str:
        return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big").hex()

    point = bytes.fromhex(public(key))
    calls = [f"prepared {public(key)} {digest.hex()} {flipped(signature, bit)}" for bit in range(512)]
    calls += [f"prepared {public(key)} {flipped(digest, bit)} {signature.hex()}" for bit in range(256)]
    calls += [f"verify {flipped(point, bit)} {digest.hex()} {signature.hex()}" for bit in range(512)]
    calls += [
        f"verify {public(other)} {digest.hex()} {signature.hex()}",
        f"prepared {public(other)} {digest.hex()} {signature.hex()}",
        f"verify {public(key)} {digest.hex()} {signature.hex()}00",
        f"verify {public(key)} {digest.hex()} {signature[:-1].hex()}",
        f"verify {public(key)} {digest.hex()} {(signature[32:] + signature[:32]).hex()}",
    ]
    assert set(ask(calls)) == {"False"}
    assert ask([f"verify {public(key)} {digest.hex()} {signature.hex()}"]) == ["True"]


def test_public_keys(ask: Ask) -> None:
    """Secrets that are few bits, that are near the order, and that fill columns of the comb."""
    rng = random.Random(43)
    secrets = [*range(1, 40), *range(N - 40, N)]
    secrets += [1 << bit for bit in range(256)]
    secrets += [sum(1 << (43 * j) for j in range(6) if i >> j & 1) % N for i in range(1, 64)]
    secrets += [rng.randrange(1, N) for _ in range(40)]
    expected = [public(ec.derive_private_key(d, ec.SECP256R1())) for d in secrets]
    assert ask([f"public {d:x}" for d in secrets]) == expected
