"""The table of GS1 application identifiers: how long each is, how long its value may be and of what characters.

Source: GS1 Barcode Syntax Dictionary (gs1-syntax-dictionary.txt, GS1 AISBL, Apache-2.0). Which identifiers may stand
together is left out: a carrier with one too many is still the carrier it says it is.
"""

CSET82 = b"!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""Characters of most values (GS1 General Specifications, section 7.11)."""
_CSET39 = b"#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE64URL = b"-0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

# Digits of the identifiers that begin with 00, 01, ... 99; 0 where none does.
_LENGTHS = b"2222000000222202220022233300002444444204333400000000000000000000000000434000000044400000002222222222"
_ROW = 14
# Ascending; the columns of a row: the identifier, 4 (`n` stands for its last digit); N digits, X CSET 82, Y CSET 39 or
# Z base64url; the shortest and the longest value, 2 + 2; how many characters at its front are digits, 2, and how many
# of those the check digit closes, 2; the highest last digit that `n` stands for.
_ROWS = (
    b"00  N18181818 01  N14141414 02  N14141414 03  N14141414 10  X01200000 11  N06060600 "
    b"12  N06060600 13  N06060600 15  N06060600 16  N06060600 17  N06060600 20  N02020200 "
    b"21  X01200000 22  X01200000 235 X01280000 240 X01300000 241 X01300000 242 N01060600 "
    b"243 X01200000 250 X01300000 251 X01300000 253 X13301313 254 X01200000 255 N13252513 "
    b"30  N01080800 310nN060606005311nN060606005312nN060606005313nN060606005314nN060606005"
    b"315nN060606005316nN060606005320nN060606005321nN060606005322nN060606005323nN060606005"
    b"324nN060606005325nN060606005326nN060606005327nN060606005328nN060606005329nN060606005"
    b"330nN060606005331nN060606005332nN060606005333nN060606005334nN060606005335nN060606005"
    b"336nN060606005337nN060606005340nN060606005341nN060606005342nN060606005343nN060606005"
    b"344nN060606005345nN060606005346nN060606005347nN060606005348nN060606005349nN060606005"
    b"350nN060606005351nN060606005352nN060606005353nN060606005354nN060606005355nN060606005"
    b"356nN060606005357nN060606005360nN060606005361nN060606005362nN060606005363nN060606005"
    b"364nN060606005365nN060606005366nN060606005367nN060606005368nN060606005369nN060606005"
    b"37  N01080800 390nN011515009391nN041818009392nN011515009393nN041818009394nN040404003"
    b"395nN060606005400 X01300000 401 X01300000 402 N17171717 403 X01300000 410 N13131313 "
    b"411 N13131313 412 N13131313 413 N13131313 414 N13131313 415 N13131313 416 N13131313 "
    b"417 N13131313 420 X01200000 421 X04120300 422 N03030300 423 N03151500 424 N03030300 "
    b"425 N03151500 426 N03030300 427 X01030000 4300X01350000 4301X01350000 4302X01700000 "
    b"4303X01700000 4304X01700000 4305X01700000 4306X01700000 4307X02020000 4308X01300000 "
    b"4309N20202000 4310X01350000 4311X01350000 4312X01700000 4313X01700000 4314X01700000 "
    b"4315X01700000 4316X01700000 4317X02020000 4318X01200000 4319X01300000 4320X01350000 "
    b"4321N01010100 4322N01010100 4323N01010100 4324N10101000 4325N10101000 4326N06060600 "
    b"4330X06070600 4331X06070600 4332X06070600 4333X06070600 7001N13131300 7002X01300000 "
    b"7003N10101000 7004N01040400 7005X01120000 7006N06060600 7007N06121200 7008X01030000 "
    b"7009X01100000 7010X01020000 7011N06101000 7020X01200000 7021X01200000 7022X01200000 "
    b"7023X01300000 7030X04300300 7031X04300300 7032X04300300 7033X04300300 7034X04300300 "
    b"7035X04300300 7036X04300300 7037X04300300 7038X04300300 7039X04300300 7040X04040100 "
    b"7041X01040000 710 X01200000 711 X01200000 712 X01200000 713 X01200000 714 X01200000 "
    b"715 X01200000 716 X01200000 717 X01200000 7230X03300000 7231X03300000 7232X03300000 "
    b"7233X03300000 7234X03300000 7235X03300000 7236X03300000 7237X03300000 7238X03300000 "
    b"7239X03300000 7240X01200000 7241N02020200 7242X01250000 7250N08080800 7251N12121200 "
    b"7252N01010100 7253X01400000 7254X01400000 7255X01100000 7256X01900000 7257X01700000 "
    b"7258X03030000 7259X01400000 8001N14141400 8002X01200000 8003X14301414 8004X01300000 "
    b"8005N06060600 8006N18181814 8007X01340000 8008N08121200 8009X01500000 8010Y01300000 "
    b"8011N01121200 8012X01200000 8013X01250000 8014X01250000 8017N18181818 8018N18181818 "
    b"8019N01101000 8020X01250000 8026N18181814 8030Z01900000 8040N15151500 8041N15151500 "
    b"8042N32323200 8043N18202000 8110X01700000 8111N04040400 8112X01700000 8200X01700000 "
    b"90  X01300000 91  X01900000 92  X01900000 93  X01900000 94  X01900000 95  X01900000 "
    b"96  X01900000 97  X01900000 98  X01900000 99  X01900000 "
)


def length(data: bytes, at: int) -> int:
    """Digits of the application identifier that begins at `at`, 0 when none does."""
    if at + 2 > len(data) or not data[at : at + 2].isdigit():
        return 0
    digits = _LENGTHS[(data[at] - 48) * 10 + data[at + 1] - 48] - 48
    return digits if at + digits <= len(data) and data[at : at + digits].isdigit() else 0


def row(identifier: bytes) -> int:
    """Where the identifier's row begins, -1 for one that GS1 has not assigned."""
    found = _search(identifier + b"  "[: 4 - len(identifier)])
    if found < 0 and len(identifier) == 4:
        found = _search(identifier[:3] + b"n")
        if found >= 0 and identifier[3] > _ROWS[found + 13]:
            return -1
    return found


def shortest(row: int) -> int:
    """Characters of the shortest value."""
    return _number(row + 5)


def longest(row: int) -> int:
    """Characters of the longest value."""
    return _number(row + 7)


def closed(row: int) -> int:
    """Digits at the front of a value that its check digit closes, that digit included; 0 when it has none."""
    return _number(row + 11)


def allows(row: int, value: bytes) -> bool:
    """Whether a value of a fitting length has the characters it must have."""
    digits = _number(row + 9)
    if digits and not value[:digits].isdigit():
        return False
    kind = _ROWS[row + 4]
    if kind == 0x4E:
        return True
    # What is left when all its characters are taken off both ends is not made of them.
    return not value.strip(CSET82 if kind == 0x58 else _CSET39 if kind == 0x59 else _BASE64URL)


def _search(key: bytes) -> int:
    low, high = 0, len(_ROWS) // _ROW
    while low < high:
        middle = (low + high) // 2
        found = _ROWS[middle * _ROW : middle * _ROW + 4]
        if found == key:
            return middle * _ROW
        if found < key:
            low = middle + 1
        else:
            high = middle
    return -1


def _number(at: int) -> int:
    return (_ROWS[at] - 48) * 10 + _ROWS[at + 1] - 48
