"""codec.py and schema.py say the same of every layout: on fields in and out of range, on bytes good and damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import construct
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plomba_wire import codec, swift
from plomba_wire.schema import LAYOUTS, VOCABULARY, Blob, OneOf, Rest

Ask = Callable[[Iterable[str]], list[str]]
Fields = dict[str, Any]

# The examples are the same in every run: what is red here is red everywhere.
stable = settings(deadline=None, derandomize=True, database=None, max_examples=25)
each_layout = pytest.mark.parametrize("name", LAYOUTS)


def subcons(name: str) -> dict[str, Any]:
    """The fields of a layout that have more than one value, without their names and texts."""
    found = {}
    for subcon in LAYOUTS[name].struct.subcons:
        field = subcon.name
        while isinstance(subcon, construct.Renamed):
            subcon = subcon.subcon
        if field is not None and not isinstance(subcon, construct.Const):
            found[field] = subcon
    return found


def limits(subcon: Any) -> tuple[int, int]:
    """Least and greatest number, or length in bytes."""
    if isinstance(subcon, OneOf):
        return limits(subcon.subcon)
    if isinstance(subcon, construct.FormatField):
        return 0, 256**subcon.length - 1
    if isinstance(subcon, (Blob, Rest)):
        return 0, subcon.limit
    return subcon.length, subcon.length


def right(subcon: Any) -> st.SearchStrategy[Any]:
    """Values that fit."""
    least, greatest = limits(subcon)
    if isinstance(subcon, OneOf):
        return st.sampled_from(sorted(entry["code"] for entry in VOCABULARY[subcon.section].values()))
    if isinstance(subcon, construct.FormatField):
        return st.integers(least, greatest) | st.sampled_from([least, greatest])
    return st.binary(min_size=least, max_size=min(greatest, 300))


def wrong(subcon: Any) -> st.SearchStrategy[Any]:
    """Values of the right kind that mostly do not fit."""
    least, greatest = limits(subcon)
    if isinstance(subcon, OneOf):
        return st.integers(-2, 300)
    if isinstance(subcon, construct.FormatField):
        return st.sampled_from([-1, greatest + 1, -greatest, 2 * greatest, 1 << 70])
    lengths = [greatest + 1, greatest + 255] + ([least - 1, 0] if least else [])
    return st.sampled_from(lengths).map(bytes)


def fields(name: str) -> st.SearchStrategy[Fields]:
    return st.fixed_dictionaries({field: right(subcon) for field, subcon in subcons(name).items()})


def fields_with_one_wrong(name: str) -> st.SearchStrategy[Fields]:
    found = subcons(name)
    return st.sampled_from(sorted(found)).flatmap(
        lambda broken: st.fixed_dictionaries(
            {field: (wrong if field == broken else right)(subcon) for field, subcon in found.items()}
        )
    )


def mutated(data: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with one changed, cut short, or with more behind them."""
    cut = st.integers(0, len(data)).map(lambda end: data[:end])
    longer = st.binary(min_size=1, max_size=300).map(lambda more: data + more)
    if not data:
        return cut | longer
    changed = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)).map(
        lambda change: data[: change[0]] + bytes((change[1],)) + data[change[0] + 1 :]
    )
    return changed | cut | longer


def built(name: str, fields: Fields) -> bytes | None:
    try:
        return LAYOUTS[name].build(fields)
    except construct.ConstructError:
        return None


def packed(name: str, fields: Fields) -> bytes | None:
    layout: Any = getattr(codec, name)
    try:
        return layout(*(fields[field] for field in layout.FIELDS)).pack()
    except codec.Malformed:
        return None


def parsed(name: str, data: bytes) -> Fields | None:
    try:
        found = LAYOUTS[name].parse(data)
    except construct.ConstructError:
        return None
    return {field: found[field] for field in subcons(name)}


def unpacked(name: str, data: bytes) -> Fields | None:
    layout: Any = getattr(codec, name)
    try:
        message = layout.unpack(data)
    except codec.Malformed:
        return None
    return {field: getattr(message, field) for field in layout.FIELDS}


@each_layout
def test_the_same_tables(name: str) -> None:
    layout = getattr(codec, name)
    assert list(layout.FIELDS) == list(subcons(name))
    assert LAYOUTS[name].code == (layout.TYPE if layout.TYPE >= 0 else None)


@each_layout
def test_fields_that_fit(name: str) -> None:
    @stable
    @given(fields(name))
    def agree(fields: Fields) -> None:
        data = built(name, fields)
        assert data is not None
        assert packed(name, fields) == data
        assert unpacked(name, data) == parsed(name, data) == fields

    agree()


@each_layout
def test_fields_that_do_not_fit(name: str) -> None:
    @stable
    @given(fields_with_one_wrong(name))
    def agree(fields: Fields) -> None:
        assert packed(name, fields) == built(name, fields)

    agree()


@each_layout
def test_trap_22_damaged_bytes(name: str) -> None:
    @stable
    @given(fields(name).map(LAYOUTS[name].build).flatmap(mutated))
    @example(b"")
    def agree(data: bytes) -> None:
        found = unpacked(name, data)
        assert found == parsed(name, data)
        if found is not None:
            assert packed(name, found) == data

    agree()


@each_layout
def test_trap_22_any_bytes(name: str) -> None:
    @stable
    @given(st.binary(max_size=300))
    def agree(data: bytes) -> None:
        assert unpacked(name, data) == parsed(name, data)

    agree()


@pytest.mark.parametrize("name", [name for name in LAYOUTS if getattr(codec, name).TAIL is None])
def test_read_inside_other_bytes(name: str) -> None:
    """`read` at an offset finds what `unpack` finds in those bytes alone, and refuses to look over the end."""
    layout = getattr(codec, name)

    @stable
    @given(fields(name), st.binary(max_size=9), st.binary(max_size=9))
    def agree(fields: Fields, before: bytes, behind: bytes) -> None:
        data = before + LAYOUTS[name].build(fields)
        found = layout.read(data + behind, len(before))
        assert {field: getattr(found, field) for field in layout.FIELDS} == fields
        for end in {0, len(before), len(data) - 1}:
            with pytest.raises(codec.Malformed):
                layout.read(data[:end], len(before))

    agree()


@pytest.mark.parametrize("name", [name for name in LAYOUTS if getattr(codec, name).TAIL is None])
def test_the_compiled_reader_reads_alike(name: str) -> None:
    layout = getattr(codec, name)
    compiled = swift.reader(layout)

    def found(read: Callable[[bytes, int], Any], data: bytes, at: int) -> Fields | str:
        try:
            message = read(data, at)
        except codec.Malformed as error:
            return error.where
        assert type(message) is layout
        return {field: getattr(message, field) for field in layout.FIELDS}

    @stable
    @given(fields(name).map(LAYOUTS[name].build).flatmap(mutated), st.integers(0, 5))
    def agree(data: bytes, at: int) -> None:
        assert found(compiled, data, at) == found(layout.read, data, at)

    agree()


class Dice:
    """Fields and bytes from one seed, as many as a batch for MicroPython needs; hypothesis would take minutes."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def value(self, subcon: Any) -> Any:
        least, greatest = limits(subcon)
        if isinstance(subcon, OneOf):
            codes = sorted(entry["code"] for entry in VOCABULARY[subcon.section].values())
            return self._random.choice(codes)
        if isinstance(subcon, construct.FormatField):
            return self._random.choice((least, greatest, self._random.randint(least, greatest)))
        return self._random.randbytes(self._random.randint(least, max(least, min(greatest, 40))))

    def wrong(self, subcon: Any) -> Any:
        least, greatest = limits(subcon)
        if isinstance(subcon, (OneOf, construct.FormatField)):
            return self._random.choice((-1, greatest + 1, -greatest, 2 * greatest, 1 << 70))
        return bytes(self._random.choice((greatest + 1, max(0, least - 1))))

    def fields(self, name: str) -> Fields:
        return {field: self.value(subcon) for field, subcon in subcons(name).items()}

    def fields_with_one_wrong(self, name: str) -> Fields:
        found = self.fields(name)
        field = self._random.choice(sorted(found))
        return {**found, field: self.wrong(subcons(name)[field])}

    def damaged(self, name: str) -> bytes:
        data = bytearray(LAYOUTS[name].build(self.fields(name)))
        how = self._random.randrange(4)
        if how == 0 and data:
            data[self._random.randrange(len(data))] = self._random.randrange(256)
        elif how == 1:
            del data[self._random.randint(0, len(data)) :]
        elif how == 2:
            data += self._random.randbytes(self._random.choice((1, 2, 300)))
        return bytes(data)


def words(fields: Fields) -> str:
    return " ".join(f"x{value.hex()}" if isinstance(value, bytes) else str(value) for value in fields.values())


def test_trap_22_micropython_agrees(ask_board: Ask) -> None:
    dice = Dice(1)
    calls, expected = [], []
    for name in LAYOUTS:
        for at in range(40):
            fields = dice.fields_with_one_wrong(name) if at % 2 else dice.fields(name)
            data = built(name, fields)
            calls.append(f"pack {name} {words(fields)}")
            expected.append("Malformed" if data is None else f"x{data.hex()}")
        for _ in range(40):
            data = dice.damaged(name)
            found = parsed(name, data)
            calls.append(f"unpack {name} x{data.hex()}")
            expected.append("Malformed" if found is None else words(found))
    answers = ask_board(calls)
    different = [
        (call[:200], want[:80], got[:80])
        for call, want, got in zip(calls, expected, answers, strict=True)
        if want != got
    ]
    assert not different
    assert 1000 < expected.count("Malformed") < len(expected) - 1000
