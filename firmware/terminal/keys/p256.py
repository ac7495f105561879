"""ECDSA on P-256 over SHA-256 digests (FIPS 186-5) and ECDH (SP 800-56A), in plain integers.

A private key is an int d in [1, N - 1], a public key 64 bytes X || Y, a signature 64 bytes r || s,
big-endian. The arithmetic takes a time that depends on the numbers: who can time a signature closely enough
learns about the key. The answer to that is a secure element, not this file.

Points are Jacobian triples x, y, z for (x / z**2, y / z**3), with z = 0 for infinity. Multiples of a point
are made with a comb: the scalar is laid out in `teeth` rows of `spacing` bits, and each column of bits
selects an entry of a table that holds the sums of the point times 2**(spacing * row).
"""

from terminal.keys import comb
from terminal.keys.nonce import Nonces

# NIST SP 800-186, 3.2.1.3.
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

# A public key's comb. Six teeth verify a fifth faster, but take four times the memory and longer to prepare.
_TEETH = 4
_SPACING = 64


class Table:
    """A public key prepared for many verifications, each then at under half the cost; takes 960 bytes.

    Raises ValueError when public is not a point.
    """

    def __init__(self, public: bytes) -> None:
        if not is_point(public):
            raise ValueError("not a point of P-256")
        point = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big"), 1
        rows = [point]
        for _ in range(_TEETH - 1):
            for _ in range(_SPACING):
                point = _double(*point)
            rows.append(point)
        sums: list[tuple[int, int, int]] = []
        for x, y in _affine(rows):
            sums += [(x, y, 1)] + [_add(*point, x, y) for point in sums]
        self.entries = b"".join(x.to_bytes(32, "big") + y.to_bytes(32, "big") for x, y in _affine(sums))


def public_key(d: int) -> bytes:
    """The public key of d. Raises ValueError when d is not in [1, N - 1]."""
    if not 0 < d < N:
        raise ValueError("private key out of range")
    [(x, y)] = _affine([_times_base(d)])
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def sign(d: int, digest: bytes, extra: bytes = b"") -> bytes:
    """The signature of a 32-byte digest, with the smaller of s and N - s.

    The nonce is that of RFC 6979, with extra as its additional data (section 3.6): pass 32 random bytes, or
    nothing for the deterministic signature. Raises ValueError when d is not in [1, N - 1] or the digest not
    32 bytes.
    """
    if not 0 < d < N or len(digest) != 32:
        raise ValueError("private key or digest out of range")
    e = int.from_bytes(digest, "big")
    nonces = Nonces(N, d, digest, extra)
    while True:
        k = nonces.next()
        [(x, _)] = _affine([_times_base(k)])
        r = x % N
        s = _inverse(k, N) * (e + r * d) % N
        if r and s:
            return r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")


def verify(public: bytes | Table, digest: bytes, signature: bytes) -> bool:
    """Whether the signature is public's over the digest. Accepts high s, as the standard does.

    False, never an exception, for bytes of any content and length.
    """
    if len(digest) != 32 or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    if not isinstance(public, Table):
        try:
            public = Table(public)
        except ValueError:
            return False
    w = _inverse(s, N)
    base = _digits(int.from_bytes(digest, "big") * w % N, comb.TEETH, comb.SPACING)
    own = _digits(r * w % N, _TEETH, _SPACING)
    x, _, z = _evaluate((comb.TABLE, bytes(_SPACING - comb.SPACING) + base), (public.entries, own))
    if not z:
        return False
    # r is the affine x modulo N, and N < P: it may have been reduced once. Comparing here saves an inversion.
    zz = z * z % P
    return (r * zz - x) % P == 0 or (r + N < P and ((r + N) * zz - x) % P == 0)


def agree(d: int, public: bytes) -> bytes:
    """What d and the owner of a public key share: the x coordinate of d times the point, 32 bytes (SP 800-56A rev. 3,
    5.7.1.2). Raises ValueError when d is not in [1, N - 1] or public not a point.
    """
    if not 0 < d < N:
        raise ValueError("private key out of range")
    entries = Table(public).entries
    # N - d gives the same x. The larger of the two has bit 255 set but for one d in 2**32: 63 doublings whatever d is.
    point = _evaluate((entries, _digits(max(d, N - d), _TEETH, _SPACING)))
    [(x, _)] = _affine([point])
    return x.to_bytes(32, "big")


def is_point(public: bytes) -> bool:
    """Whether public is 64 bytes and a point of the curve. The cofactor is 1, so its order is N."""
    if len(public) != 64:
        return False
    x, y = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")
    return x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0


def _times_base(k: int) -> tuple[int, int, int]:
    # k + 3N gives the same point and always has bit 257, the top of the comb, set: 42 doublings whatever k
    # is. The number of a nonce's leading zeros, which gives keys away (Minerva, CVE-2024-23342), is not in
    # the time.
    return _evaluate((comb.TABLE, _digits(k + 3 * N, comb.TEETH, comb.SPACING)))


def _digits(k: int, teeth: int, spacing: int) -> bytearray:
    """The columns of the comb over k, highest first: bit j of column c is bit c + j * spacing of k."""
    octets = k.to_bytes(33, "big")
    digits = bytearray()
    for column in range(spacing - 1, -1, -1):
        digit = 0
        for bit in range(column + (teeth - 1) * spacing, -1, -spacing):
            digit = digit << 1 | octets[32 - (bit >> 3)] >> (bit & 7) & 1
        digits.append(digit)
    return digits


def _evaluate(*combs: tuple[bytes, bytes | bytearray]) -> tuple[int, int, int]:
    """The sum of combs, each a pair of table and digits, with as many digits in one as in another."""
    x, y, z = 0, 1, 0
    for column in range(len(combs[0][1])):
        if z:
            x, y, z = _double(x, y, z)
        for table, digits in combs:
            at = digits[column] * 64
            if at:
                entry_x = int.from_bytes(table[at - 64 : at - 32], "big")
                entry_y = int.from_bytes(table[at - 32 : at], "big")
                x, y, z = _add(x, y, z, entry_x, entry_y)
    return x, y, z


def _double(x: int, y: int, z: int) -> tuple[int, int, int]:
    # a = -3, so 3x^2 + a z^4 is one product. No point has y = 0: the order is odd.
    zz = z * z % P
    yy = y * y % P
    xyy = x * yy % P
    slope = 3 * (x - zz) * (x + zz) % P
    x3 = (slope * slope - 8 * xyy) % P
    return x3, (slope * (4 * xyy - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(x: int, y: int, z: int, affine_x: int, affine_y: int) -> tuple[int, int, int]:
    if not z:
        return affine_x, affine_y, 1
    zz = z * z % P
    h = (affine_x * zz - x) % P
    slope = (zz * z % P * affine_y - y) % P
    if not h:
        return (0, 1, 0) if slope else _double(x, y, z)
    hh = h * h % P
    hhh = hh * h % P
    xhh = x * hh % P
    x3 = (slope * slope - hhh - 2 * xhh) % P
    return x3, (slope * (xhh - x3) - y * hhh) % P, z * h % P


def _affine(points: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """The pairs x, y of finite points, for the price of one inversion."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % P)
    inverse = _inverse(products.pop(), P)
    pairs = []
    for x, y, z in reversed(points):
        z_inverse = inverse * products.pop() % P
        inverse = inverse * z % P
        zz_inverse = z_inverse * z_inverse % P
        pairs.append((x * zz_inverse % P, y * zz_inverse % P * z_inverse % P))
    pairs.reverse()
    return pairs


def _inverse(a: int, modulus: int) -> int:
    # Extended Euclid, because pow(a, modulus - 2, modulus) costs five times as much; pow with a negative
    # exponent returns 0 on MicroPython.
    r, r_next, t, t_next = modulus, a, 0, 1
    while r_next:
        q = r // r_next
        r, r_next = r_next, r - q * r_next
        t, t_next = t_next, t - q * t_next
    return t % modulus
