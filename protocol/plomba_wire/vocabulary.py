"""The codes both sides share. Generated from vocabulary.toml: python3 tools gen."""
# fmt: off


class Action:
    SHIFT_OPEN = 0x01
    SHIFT_CLOSE = 0x02
    TIME_SET = 0x03
    RULES_ACK = 0x04
    BOOT = 0x05
    KEY_ROTATE = 0x06
    OBJECT_SET = 0x07
    IMAGE_RUN = 0x08
    OBJECT_REFUSED = 0x09
    SCANS_LOST = 0x0a
    RECORDS_LOST = 0x0b
    INTAKE_CHECK = 0x10
    PICK = 0x11
    PACK = 0x12
    SEAL_APPLY = 0x13
    STAGE = 0x14
    BAG_ADD = 0x16
    INTAKE_DEFER = 0x15
    HANDOVER_OUT = 0x20
    HANDOVER_IN = 0x21
    ROUTE_START = 0x22
    ARRIVE = 0x23
    STORE = 0x24
    RETRIEVE = 0x25
    CUSTOMER_IDENT = 0x30
    SEAL_CHECK = 0x31
    INSPECT = 0x32
    HANDOUT = 0x33
    REFUSE = 0x34
    ATTEMPT_FAILED = 0x35
    RETURN_OPEN = 0x40
    RETURN_IN = 0x41
    RETURN_INSPECT = 0x42
    DAMAGE = 0x50
    MISSING = 0x51
    MISMATCH = 0x52
    SEAL_BREAK = 0x53
    UNREADABLE = 0x54
    HOLD = 0x55
    RELEASE = 0x56
    ROUTE_OPEN = 0x60
    ROUTE_CLOSE = 0x61
    UNDO = 0x70
    OVERRIDE = 0x71
    LATE_ENTRY = 0x72
    REFUSED_SCAN = 0x7e
    NOTE = 0x7f


class Verdict:
    NOTED = 0x00
    OK = 0x01
    CONFIRM = 0x02
    NEED_SEAL = 0x03
    SEAL_OK = 0x04
    SEAL_READ = 0x05
    ITEM_OK = 0x06
    NEED_ITEM = 0x07
    NEED_RESULT = 0x08
    NEED_REASON = 0x09
    NEED_PHOTO = 0x0a
    NEED_SUPERVISOR = 0x0b
    NEED_PIN = 0x0c
    NEED_DIGITS = 0x0d
    NEED_ACT = 0x0e
    NEED_ANSWER = 0x0f
    WRONG_SEAL = 0x10
    WRONG_ITEM = 0x11
    UNKNOWN = 0x12
    KNOWN_NOT_HERE = 0x13
    WRONG_STATE = 0x14
    REPEAT = 0x15
    REFUSED_CODE = 0x16
    NO_RULES = 0x17
    NO_VISIT = 0x18
    SEAL_USED = 0x19
    LEFT_UNSCANNED = 0x1a
    UNREADABLE = 0x1b
    HELD = 0x1c
    NO_SHIFT = 0x1d
    NOTHING_TO_UNDO = 0x1e
    OBJECT_OLD = 0x20
    OBJECT_FOREIGN = 0x21
    OBJECT_UNSIGNED = 0x22
    OBJECT_BROKEN = 0x23
    REVERTED = 0x24
    CHECK_DIGIT = 0x25
    SEAL_FORGED = 0x26
    SEAL_STRANGER = 0x27
    SEAL_REVOKED = 0x28
    SEAL_NOT_ISSUED = 0x29
    SEAL_VOID = 0x2a
    BADGE_UNKNOWN = 0x2b
    BADGE_REVOKED = 0x2c
    PIN_WRONG = 0x2d
    PIN_LOCKED = 0x2e
    NOT_ALLOWED = 0x2f
    LIMIT = 0x30
    DIGITS_DIFFER = 0x31
    NEW_RULE = 0x32
    STALE_LIST = 0x33
    ORDERS_OPEN = 0x34
    RECORDS_WAIT = 0x35
    TOKEN_WRONG = 0x36
    COUNTERSIGNED = 0x37
    ANSWER_WRONG = 0x38
    NO_ROUTE = 0x39
    NO_BAG = 0x3a


class Mode:
    CHECK = 0x01
    PICK = 0x02
    PACK = 0x03
    STAGE = 0x04
    BAG = 0x05
    GIVE = 0x06
    TAKE = 0x07
    ARRIVAL = 0x08
    ROUTE = 0x09
    STOP = 0x0a
    STORE = 0x0b
    HANDOUT = 0x0c
    BACK = 0x0d
    LOOK = 0x0e


class Command:
    REFUSE = 0x20
    PART = 0x4a
    HOLD = 0x22
    RELEASE = 0x23
    DAMAGE = 0x24
    MISSING = 0x25
    MISMATCH = 0x26
    BREAK = 0x27
    INSPECT = 0x28
    FAILED = 0x29
    RETURN = 0x2a
    OVERRIDE = 0x2b
    CORRECT = 0x2c
    SEALED = 0x30
    DEFER = 0x31
    UNDO = 0x32
    CLOSE = 0x33
    ENDROUTE = 0x34
    TYPE = 0x35
    CALL = 0x36
    CANCEL = 0x37
    OK = 0x38
    ENTER = 0x39
    LATE = 0x4b
    BADGE = 0x40
    CUSTOMER = 0x41
    REASON = 0x42
    RESULT = 0x43
    PHOTO = 0x44
    DIGIT = 0x45
    CELL = 0x46
    SACK = 0x47
    ACT = 0x48
    WAY = 0x49


class Condition:
    INTACT = 0x01
    BROKEN = 0x02
    ABSENT = 0x03
    REPLACED = 0x04
    NUMBER_MISMATCH = 0x05
    PHOTO_MISMATCH = 0x06
    DAMAGED = 0x07


class Reason:
    NOBODY_HOME = 0x01
    NO_ANSWER = 0x02
    WRONG_ADDRESS = 0x03
    CHANGED_MIND = 0x04
    NOT_AS_ORDERED = 0x05
    DROPPED = 0x0a
    SOILED = 0x0b
    TORN = 0x0c
    WET = 0x0d
    CODE_WORN = 0x14
    CODE_TORN = 0x15
    SEAL_ABSENT = 0x16
    TERMINAL_DIED = 0x1e
    OTHER = 0x63


class Hand:
    CLERK = 0x01
    COURIER = 0x02
    PACKER = 0x03
    WAREHOUSE = 0x04
    SUPERVISOR = 0x05


class State:
    NONE = 0x00
    NEW = 0x01
    NEED_DATA = 0x02
    ACCEPTED = 0x03
    PICKED = 0x04
    PACKED = 0x05
    STAGED = 0x06
    HANDING = 0x07
    WITH_COURIER = 0x08
    ON_ROUTE = 0x09
    AT_STOP = 0x0a
    AT_POINT = 0x0b
    READY = 0x0c
    IDENTIFIED = 0x0d
    VERIFIED = 0x0e
    DELIVERED = 0x0f
    PART_DELIVERED = 0x10
    REFUSED = 0x11
    FAILED = 0x12
    HELD = 0x13
    RETURNING = 0x14
    RETURNED = 0x15
    INSPECTED = 0x16
    REFUNDED = 0x17
    REJECTED = 0x18
    CANCELLED = 0x19
    LOST = 0x1a
    EXPIRED = 0x1b
    CALLED_OFF = 0x1c


class CodeKind:
    NONE = 0x00
    ORDER = 0x01
    SEAL = 0x02
    UIN = 0x03
    BADGE = 0x04
    CELL = 0x05
    COMMAND = 0x06
    CUSTOMER = 0x07
    UNKNOWN = 0x08
    KEY = 0x09
    SSCC = 0x0a
    GTIN = 0x0b
    CZ = 0x0c
    S10 = 0x0d
    RUSSIAN_POST = 0x0e
    NOVA_POSHTA = 0x0f
    BAG = 0x10
    ACT = 0x11
    TOKEN = 0x12
    PHOTO = 0x13
    TYPED = 0x14
    ROUTE = 0x15


class Symbology:
    NONE = 0x00
    QR = 0x01
    DATA_MATRIX = 0x03
    CODE_128 = 0x05
    EAN = 0x07
    OTHER = 0x08


class OrderClass:
    PLAIN = 0x00
    SEALED = 0x01


class Flag:
    TIME_TRUSTED = 0x01
    MANUAL = 0x02
    OVERRIDE = 0x04
    REPEAT = 0x08
    TRAINING = 0x10
    PHOTO = 0x20
    PEER_HEAD = 0x40
    LOW_BATTERY = 0x80


class Tlv:
    CODE = 0x01
    SEAL = 0x02
    UIN = 0x03
    ORDER = 0x04
    COUNTERPARTY = 0x05
    REASON = 0x06
    REF_SEQ = 0x07
    PHOTO = 0x08
    PEER_HEAD = 0x09
    CONDITION = 0x0a
    QUANTITY = 0x0b
    DEADLINE = 0x0c
    CELL = 0x0d
    RESULTS = 0x0e
    SHIFT_COUNT = 0x0f
    AFTER_RECEIPT = 0x10
    LONG_CODE = 0x11
    BEARER = 0x12
    BOOT = 0x13
    OBJECT = 0x14
    HEALTH = 0x15
    BAG = 0x17
    ACT = 0x18
    CAMERA = 0x19
    LATE = 0x1a
    SUPERVISOR = 0x1b
    CHALLENGE = 0x1c
    NEED = 0x1d
    TRACE = 0x16


class Engine:
    STARTING = 0x00
    READY = 0x01
    SILENT = 0x02


class ObjectKind:
    CERTIFICATE = 0x01
    REVOCATIONS = 0x02
    RECEIPT = 0x03
    MANIFEST = 0x04
    RULES = 0x05
    TIME = 0x06
    IMAGE = 0x07
    ROOT = 0x08
    STAFF = 0x09
    SEALS = 0x0a


class Revocation:
    LOST = 0x01
    STOLEN = 0x02
    REPLACED = 0x03
    RETIRED = 0x04


class Role:
    TERMINAL = 0x01
    DOCK = 0x02
    DESK = 0x03
    SEAL_ISSUER = 0x04
    RELEASE = 0x05


class Protection:
    OPEN = 0x01
    LOCKED = 0x02
    CHIP = 0x03


class Enrolment:
    BLANK = 0x00
    WAITING = 0x01
    ENROLLED = 0x02


class Error:
    VERSION = 0x01
    UNKNOWN_TYPE = 0x02
    UNSUPPORTED_FLAG = 0x03
    MALFORMED = 0x04
    STALE_SESSION = 0x05
    BUSY = 0x06
    NOT_READY = 0x07
    NOT_ENROLLED = 0x08
    BAD_RANGE = 0x10
    PRUNED = 0x11
    CHAIN_FORK = 0x12
    EPOCH_CHANGED = 0x13
    STORAGE_FAULT = 0x14
    RECORD_TOO_BIG = 0x15
    BAD_SIGNATURE = 0x20
    UNKNOWN_KEY = 0x21
    KEY_REVOKED = 0x22
    ROLLBACK = 0x23
    EXPIRED = 0x24
    WRONG_DEVICE = 0x25
    NONCE_MISMATCH = 0x26
    BAD_HASH = 0x27
    TOO_BIG = 0x28
    REFUSED_BY_POLICY = 0x29
    WRONG_ROLE = 0x2a
    LOW_BATTERY = 0x30
    NO_SPACE = 0x31
    UNSYNCED_RECORDS = 0x32
    INTERNAL = 0x3f


class Feature:
    SACK = 0x01
    LIVE = 0x02
    BAUD = 0x04


class Growth:
    ROOT = 0x02
    SCHEMA = 0x01


class Check:
    CLOCK_UNSET = 0x01
    BATTERY_LOW = 0x02
    JOURNAL_FULL = 0x04
    CHAIN_BROKEN = 0x08
    MEMORY_WORN = 0x10
    MANIFEST_DAMAGED = 0x20
    RULES_DAMAGED = 0x40
    REVOCATIONS_DAMAGED = 0x80
    KEY_REVOKED = 0x100
    RESTARTED = 0x200
    IMAGE_REVERTED = 0x400
    BELOW_FLOOR = 0x800
    STAFF_DAMAGED = 0x2000
    SEALS_DAMAGED = 0x1000
    STATE_LOST = 0x10000
    KEY_DAMAGED = 0x20000
    NO_ENTROPY = 0x40000
    CHIP_FAILED = 0x80000
    MEMORY_FAILED = 0x100000


MODES = {
    b"CHECK": 1,
    b"PICK": 2,
    b"PACK": 3,
    b"STAGE": 4,
    b"BAG": 5,
    b"GIVE": 6,
    b"TAKE": 7,
    b"ARRIVAL": 8,
    b"ROUTE": 9,
    b"STOP": 10,
    b"STORE": 11,
    b"HANDOUT": 12,
    b"BACK": 13,
    b"LOOK": 14,
}
"""Card name -> mode."""

COMMANDS = {
    b"REFUSE": 32,
    b"PART": 74,
    b"HOLD": 34,
    b"RELEASE": 35,
    b"DAMAGE": 36,
    b"MISSING": 37,
    b"MISMATCH": 38,
    b"BREAK": 39,
    b"INSPECT": 40,
    b"FAILED": 41,
    b"RETURN": 42,
    b"OVERRIDE": 43,
    b"CORRECT": 44,
    b"SEALED": 48,
    b"DEFER": 49,
    b"UNDO": 50,
    b"CLOSE": 51,
    b"ENDROUTE": 52,
    b"TYPE": 53,
    b"CALL": 54,
    b"CANCEL": 55,
    b"OK": 56,
    b"ENTER": 57,
    b"LATE": 75,
    b"BADGE": 64,
    b"CUSTOMER": 65,
    b"REASON": 66,
    b"RESULT": 67,
    b"PHOTO": 68,
    b"DIGIT": 69,
    b"CELL": 70,
    b"SACK": 71,
    b"ACT": 72,
    b"WAY": 73,
}
"""Card name -> command."""

MODE_ACTIONS = {
    1: 0x10,
    2: 0x11,
    3: 0x12,
    4: 0x14,
    5: 0x16,
    6: 0x20,
    7: 0x21,
    8: 0x21,
    9: 0x22,
    10: 0x23,
    11: 0x24,
    12: 0x25,
    13: 0x41,
    14: 0x42,
}
"""Mode -> what is done to a parcel that is scanned in it."""

COMMAND_ACTIONS = {
    32: 0x34,
    74: 0x34,
    34: 0x55,
    35: 0x56,
    36: 0x50,
    37: 0x51,
    38: 0x52,
    39: 0x53,
    40: 0x32,
    41: 0x35,
    42: 0x40,
    43: 0x71,
    44: 0x70,
}
"""Command -> what is done to the parcel that was scanned last."""
