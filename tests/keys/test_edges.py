"""The cases that chance does not bring: exceptional additions, numbers at their limits, and hostile bytes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

import generate_comb as curve
from terminal.keys import p256

Ask = Callable[[list[str]], list[str]]

P, N, G = p256.P, p256.N, curve.G

# Points with a coordinate so small that adding P keeps it in 32 bytes; X_OF_5 is a root of x^3 - 3x + b = 25.
Y_OF_0 = 0x66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4
X_OF_5 = 0xD7325D7646CD60D80A92738CEB345F844CFFAF35841022CAB176F692DE8DE1D7

GENERATOR = p256.Table(bytes.fromhex(f"{G[0]:064x}{G[1]:064x}"))

S, E = 0x1234567, 0x89ABCDEF


def octets(point: tuple[int, int] | None) -> str:
    assert point is not None
    return f"{point[0]:064x}{point[1]:064x}"


def times(k: int, point: tuple[int, int]) -> tuple[int, int]:
    result = curve.multiply(k % N, point)
    assert result is not None
    return result


def key_behind(x: int, r: int, s: int, e: int) -> tuple[int, int]:
    """The public key for which verifying (r, s) over e arrives at a point with this x."""
    y = pow(x**3 - 3 * x + p256.B, (P + 1) // 4, P)
    w = pow(s, -1, N)
    rest = curve.add((x, y), times(-e * w, G))
    assert rest is not None
    return times(pow(r * w, -1, N), rest)


def openssl_accepts(point: tuple[int, int], e: int, r: int, s: int) -> bool:
    key = ec.EllipticCurvePublicNumbers(*point, ec.SECP256R1()).public_key()
    try:
        key.verify(encode_dss_signature(r, s), e.to_bytes(32, "big"), ec.ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def verdicts(ask: Ask, point: tuple[int, int], e: int, r: int, s: int) -> set[str]:
    arguments = f"{octets(point)} {e:064x} {r:064x}{s:064x}"
    return set(ask([f"verify {arguments}", f"prepared {arguments}"]))


def test_base_comb_meets_its_own_entry(ask: Ask) -> None:
    """The sum before the last column is the very entry that it adds: the addition has to be a doubling."""
    entry = sum(1 << (curve.SPACING * j) for j in range(curve.TEETH) if 13 >> j & 1)
    d = 2 * entry % N
    assert sum((d + 3 * N >> (curve.SPACING * j) & 1) << j for j in range(curve.TEETH)) == 13
    assert ask([f"public {d:x}"]) == [octets(times(d, G))]


def test_the_two_halves_of_a_verification_are_equal(ask: Ask) -> None:
    """Q = G and e = r = s: the sum is G + G."""
    r = times(2, G)[0] % N
    assert openssl_accepts(G, r, r, r)
    assert verdicts(ask, G, r, r, r) == {"True"}


def test_the_two_halves_of_a_verification_cancel(ask: Ask) -> None:
    """Q = -G and e = r = s: the sum is infinity, whose x is no number at all."""
    opposite = (G[0], P - G[1])
    r = times(2, G)[0] % N
    assert verdicts(ask, opposite, r, r, r) == {"False"}


@pytest.mark.parametrize("seed", range(4))
def test_a_sum_at_infinity_is_refused(ask: Ask, seed: int) -> None:
    """e = -r d makes u1 G + u2 Q infinity for every s."""
    rng = random.Random(seed)
    d, r, s = (rng.randrange(1, N) for _ in range(3))
    assert not openssl_accepts(times(d, G), -r * d % N, r, s)
    assert verdicts(ask, times(d, G), -r * d % N, r, s) == {"False"}


def test_r_was_reduced_modulo_the_order(ask: Ask) -> None:
    """The x of the sum is N + 3, so r is 3: one signature in 2**128."""
    q = key_behind(N + 3, 3, S, E)
    assert openssl_accepts(q, E, 3, S)
    assert verdicts(ask, q, E, 3, S) == {"True"}
    assert verdicts(ask, q, E, 4, S) == {"False"}


def test_r_was_not_reduced(ask: Ask) -> None:
    """The x of the sum is 5. An r that is 5 only modulo P is not its x modulo N."""
    for r in (5, 5 + P - N):
        q = key_behind(5, r, S, E)
        assert openssl_accepts(q, E, r, S) is (r == 5)
        assert verdicts(ask, q, E, r, S) == {str(r == 5)}


def test_r_and_s_out_of_range_are_refused(ask: Ask) -> None:
    """The equation holds for N + 3 as for 3, in r and in s, were the range not looked at."""
    q = key_behind(N + 3, 3, 3, E)
    assert verdicts(ask, q, E, 3, 3) == {"True"}
    for r, s in ((N + 3, 3), (3, N + 3), (0, 3), (3, 0), (N, 3), (3, N), (0, 0), (N, N), (2**256 - 1, 3)):
        assert verdicts(ask, q, E, r, s) == {"False"}, (r, s)


@pytest.mark.parametrize("e", [0, 1, N - 1, N, N + 1, 2**256 - 1])
def test_digests_at_their_limits(ask: Ask, e: int) -> None:
    d = random.Random(e).randrange(1, N)
    (signature,) = ask([f"sign {d:x} {e:064x} -"])
    r, s = int(signature[:64], 16), int(signature[64:], 16)
    assert openssl_accepts(times(d, G), e, r, s)
    assert verdicts(ask, times(d, G), e, r, s) == {"True"}


def test_padding_is_refused(ask: Ask) -> None:
    """A zero byte that leaves every number as it is."""
    d, digest = 0xD, f"{E:064x}"
    x, y = octets(times(d, G))[:64], octets(times(d, G))[64:]
    (signature,) = ask([f"sign {d:x} {digest} -"])
    r, s = signature[:64], signature[64:]
    calls = [f"verify {x}{y} {digest} {r}{s}", f"verify {x}{y} 00{digest} {r}{s}"]
    calls += [f"verify {x}{y} {digest[2:]} {r}{s}", f"verify {x}{y} {digest} {r}00{s}"]
    calls += [f"verify {x}00{y} {digest} {r}{s}", f"is_point {x}00{y}"]
    assert ask(calls) == ["True"] + ["False"] * 5


@pytest.mark.parametrize("k", [1, 2, 1 << 128, 1 << 200, N // 2, N - 1])
def test_the_number_of_doublings_tells_nothing_of_a_nonce(monkeypatch: pytest.MonkeyPatch, k: int) -> None:
    doublings = []
    double = p256._double
    monkeypatch.setattr(p256, "_double", lambda *point: doublings.append(point) or double(*point))
    p256.public_key(k)
    assert len(doublings) == curve.SPACING - 1


def test_points(ask: Ask) -> None:
    """Coordinates of P or more are refused even where they name a point modulo P."""
    points = {
        octets(G): True,
        octets((G[0], P - G[1])): True,
        octets((G[0], G[1] + 1)): False,
        octets((G[0] ^ 1, G[1])): False,
        f"{0:064x}{Y_OF_0:064x}": True,
        f"{P:064x}{Y_OF_0:064x}": False,
        f"{X_OF_5:064x}{5:064x}": True,
        f"{X_OF_5:064x}{5 + P:064x}": False,
        "00" * 64: False,
        "ff" * 64: False,
        octets(G)[2:]: False,
        octets(G) + "00": False,
        "04" + octets(G): False,
        "-": False,
    }
    assert ask([f"is_point {point}" for point in points]) == [str(known) for known in points.values()]
    bad = [point for point, known in points.items() if not known]
    assert set(ask([f"table {point}" for point in bad])) == {"ValueError: not a point of P-256"}
    assert set(ask([f"verify {point} {'11' * 32} {'01' * 64}" for point in bad])) == {"False"}


def test_a_table_holds_the_sums_of_the_comb(ask: Ask) -> None:
    q = times(0xC0FFEE, G)
    rows = [sum(1 << (64 * j) for j in range(4) if i >> j & 1) for i in range(1, 16)]
    assert ask([f"table {octets(q)}"]) == ["".join(octets(times(k, q)) for k in rows)]


def test_signing_refuses_what_is_not_a_key_or_a_digest(ask: Ask) -> None:
    digest = "22" * 32
    calls = [f"public {d}" for d in ("0", f"{N:x}", f"{N + 1:x}", "-1", f"{2**256:x}")]
    calls += [f"sign {d} {digest} -" for d in ("0", f"{N:x}", f"{N + 1:x}", "-1", f"{2**256:x}")]
    calls += [f"sign 1 {digest[2:]} -", f"sign 1 {digest}22 -", "sign 1 - -"]
    assert all(answer.startswith("ValueError") for answer in ask(calls))


@given(st.binary(max_size=200), st.binary(max_size=80), st.binary(max_size=130))
def test_verification_never_raises(public: bytes, digest: bytes, signature: bytes) -> None:
    assert p256.verify(public, digest, signature) is False
    assert p256.verify(GENERATOR, digest, signature) is False


def test_verification_never_raises_on_the_board(ask_board: Ask) -> None:
    """The right lengths half of the time, and a right key half of the time."""
    rng = random.Random(65)

    def noise(size: int) -> str:
        data = rng.randbytes(size if rng.random() < 0.5 else rng.randrange(130)).hex()
        return data or "-"

    calls = [f"verify {rng.choice((octets(G), noise(64)))} {noise(32)} {noise(64)}" for _ in range(600)]
    assert set(ask_board(calls)) == {"False"}
