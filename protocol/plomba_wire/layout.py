"""How a layout is packed and read, from its table in codec.py: struct and nothing else, both interpreters.

MicroPython's struct neither checks ranges nor lengths, so what was packed is read back before it counts.
"""

import struct

_STRUCT_ERRORS = (getattr(struct, "error", ValueError), ValueError, TypeError, OverflowError)


class Malformed(ValueError):
    """Bytes or values that do not fit their layout. `where` names layout and field."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Layout:
    """Base of every layout: FIELDS in the order of FORMAT, perhaps a run of bytes behind them.

    CONSTANTS are (position in FORMAT, value) of what has one value only and no field. CODES are (position, the values
    allowed). TAIL is None, or (struct code of its length or "", limit) of the last field.
    """

    __slots__: "tuple[str, ...]" = ()
    TYPE = -1
    SIZE = 0
    FIELDS: "tuple[str, ...]" = ()
    FORMAT = ""
    CONSTANTS: "tuple[tuple[int, object], ...]" = ()
    CODES: "tuple[tuple[int, bytes], ...]" = ()
    TAIL: "tuple[str, int] | None" = None

    def __init__(self, *values: object) -> None:
        if len(values) != len(self.FIELDS):
            raise TypeError(self.FIELDS)
        for name, value in zip(self.FIELDS, values):
            setattr(self, name, value)

    def pack(self) -> bytes:
        """Raises Malformed."""
        values = [getattr(self, name) for name in self.FIELDS]
        tail = b""
        if self.TAIL is not None:
            tail = values.pop()
            if len(tail) > self.TAIL[1]:
                raise Malformed(self._where(-1))
            if self.TAIL[0]:
                tail = struct.pack(self.TAIL[0], len(tail)) + tail
        for position, constant in self.CONSTANTS:
            values.insert(position, constant)
        try:
            packed = struct.pack(self.FORMAT, *values)
        except _STRUCT_ERRORS:
            raise Malformed(self._where(None)) from None
        if struct.unpack(self.FORMAT, packed) != tuple(values):
            raise Malformed(self._where(None))
        for position, codes in self.CODES:
            if values[position] not in codes:
                raise Malformed(self._where(position))
        return packed + tail

    @classmethod
    def unpack(cls, data: bytes):  # type: ignore[no-untyped-def]
        """Reads `data` whole. Raises Malformed."""
        if cls.TAIL is None:
            if len(data) != cls.SIZE:
                raise Malformed(cls.__name__)
            return cls(*cls._fixed(data, 0))
        prefix, limit = cls.TAIL
        at = struct.calcsize(cls.FORMAT)
        values = cls._fixed(data, 0)
        if prefix:
            if len(data) < cls.SIZE or struct.unpack_from(prefix, data, at)[0] != len(data) - cls.SIZE:
                raise Malformed(cls.__name__)
            at = cls.SIZE
        tail = bytes(data[at:])
        if len(tail) > limit:
            raise Malformed(cls.__name__)
        return cls(*values, tail)

    @classmethod
    def read(cls, data: bytes, at: int):  # type: ignore[no-untyped-def]
        """The SIZE bytes from `at` on of a layout without a tail; what follows is not looked at. Raises Malformed."""
        return cls(*cls._fixed(data, at))

    @classmethod
    def _fixed(cls, data: bytes, at: int) -> "list[object]":
        try:
            values = list(struct.unpack_from(cls.FORMAT, data, at))
        except _STRUCT_ERRORS:
            raise Malformed(cls.__name__) from None
        for position, codes in cls.CODES:
            if values[position] not in codes:
                raise Malformed(cls.__name__ + "[" + str(position) + "]")
        for dropped, (position, constant) in enumerate(cls.CONSTANTS):
            if values.pop(position - dropped) != constant:
                raise Malformed(cls.__name__ + "[" + str(position) + "]")
        return values

    def _where(self, position: "int | None") -> str:
        name = type(self).__name__
        return name if position is None else name + "[" + str(position) + "]"
