"""Import files: CSV and JSON into rows of text cells, or a list of what is wrong with the file (docs/orders.md)."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator

from plomba.desk.orders import LISTED, READ, REQUIRED, BadCell, ImportRefused, NumberedRow
from plomba.errors import UsageError

ROWS_MAX = 1_000_000
"""Orders of one file."""
JSON_MAX = 16 << 20
"""Bytes of the longest JSON file: it is in memory as a whole, as objects of twenty times its size."""

_DELIMITERS = ",;\t"
_NUMBERS = ("place", "value", "items", "warehouse")
_LISTS = ("seals", "uins", "codes")
_CHUNK = 1 << 20
_BOM = codecs.BOM_UTF8

Row = NumberedRow | BadCell
"""A row's number and cells; or what is wrong with its form."""


def csv_rows(data: bytes) -> Iterator[Row]:
    """Rows numbered as in a spreadsheet: the header is row 1. One row is in memory at a time. Raises ImportRefused for
    what is wrong with the file as a whole."""
    _check_text(data)
    if len(data) <= len(_BOM) and data in (b"", _BOM):
        raise _file_refused("desk_import_empty")
    # A number that lost its last digits is still a number; only the line break proves that the row is whole.
    if data[-1:] not in b"\r\n":
        raise _file_refused("desk_import_truncated", row=_line(data, len(data)))
    if _line(data, len(data)) > ROWS_MAX + 2:
        raise _file_refused("desk_import_long", row=ROWS_MAX + 2, limit=ROWS_MAX)
    return _csv_rows(data)


def _csv_rows(data: bytes) -> Iterator[Row]:
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    first = re.match(rb"[^\r\n]*", data)
    assert first is not None
    delimiter = max(_DELIMITERS, key=first[0].decode(errors="replace").count)
    header: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start=1):
            if number == 1:
                header = _header(cells)
            elif len(cells) == len(header):
                yield number, dict(zip(header, cells, strict=True))
            elif cells:
                yield BadCell(number, "", UsageError("desk_row_width", count=len(cells), wanted=len(header)))
    except csv.Error as error:
        code = "desk_import_truncated" if "unexpected end" in str(error) else "desk_import_syntax"
        raise _file_refused(code, row=number + 1, reason=error) from error


def json_rows(data: bytes) -> Iterator[Row]:
    """Rows numbered from 1. Raises ImportRefused for what is wrong with the file as a whole."""
    if len(data) > JSON_MAX:
        raise _file_refused("desk_import_json_large", limit=JSON_MAX >> 20)
    _check_text(data)
    try:
        listed = json.loads(
            data.decode("utf-8-sig"),
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_no_constant,
            object_pairs_hook=_each_once,
        )
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        code = "desk_import_truncated" if at_end else "desk_import_syntax"
        raise _file_refused(code, row=error.lineno, reason=error.msg) from error
    except (ValueError, RecursionError) as error:
        raise _file_refused("desk_import_syntax", reason=error) from error
    if not isinstance(listed, list):
        raise _file_refused("desk_import_syntax", reason="not a list of orders")
    if len(listed) > ROWS_MAX:
        raise _file_refused("desk_import_long", row=ROWS_MAX + 1, limit=ROWS_MAX)
    return _json_rows(listed)


def _json_rows(listed: list[object]) -> Iterator[Row]:
    for number, entry in enumerate(listed, start=1):
        if not isinstance(entry, dict):
            yield BadCell(number, "", UsageError("desk_row_type", column=""))
            continue
        cells: dict[str, str] = {}
        bad = False
        for column, value in entry.items():
            cell = _cell(column, value) if column in READ else None
            if cell is not None:
                cells[column] = cell
                continue
            bad = True
            known = column in READ
            yield (
                BadCell(number, column, UsageError("desk_row_type", column=column))
                if known
                else _unknown_column(number, column)
            )
        if not bad:
            yield number, cells


class _Number(str):
    """A JSON number as it was written: money never passes through a float."""

    __slots__ = ()


def _cell(column: str, value: object) -> str | None:
    """The value as the text of a CSV cell, None when its type does not fit the column."""
    if value is None:
        return ""
    if isinstance(value, _Number):
        return str(value) if column in _NUMBERS else None
    if isinstance(value, str):
        return value
    if column in _LISTS and isinstance(value, list):
        whole = all(type(item) is str and item and " " not in item for item in value)
        return " ".join(value) if whole else None
    return None


def _header(cells: list[str]) -> list[str]:
    if len(cells) > LISTED:
        raise _file_refused("desk_row_width", count=len(cells), wanted=len(READ))
    names = [cell.strip() for cell in cells]
    first: dict[str, int] = {}
    unknown = [at for at, name in enumerate(names) if name not in READ or first.setdefault(name, at) != at]
    # Where no name is a column's, this is the first order of a table without a header, and somebody's data.
    shown = names if any(name in READ for name in names) else [f"#{at + 1}" for at in range(len(names))]
    bad = [_unknown_column(1, shown[at]) for at in unknown[:LISTED]]
    bad += [
        BadCell(1, name, UsageError("desk_import_column_missing", column=name))
        for name in REQUIRED
        if name not in names
    ]
    if bad:
        raise ImportRefused(bad)
    return names


def _unknown_column(row: int, name: str) -> BadCell:
    error = UsageError("desk_import_column_unknown", column=name)
    return BadCell(row, str(error.fields["column"]), error)


def _check_text(data: bytes) -> None:
    """Raises ImportRefused, with the row, for what is not UTF-8 text."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    view = memoryview(data)
    for at in range(0, len(data), _CHUNK):
        try:
            decode(view[at : at + _CHUNK], final=at + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            # The decoder may have kept up to three bytes of the chunk before.
            begins = at + min(len(data) - at, _CHUNK) - len(error.object)
            raise _file_refused("desk_import_encoding", row=_line(data, begins + error.start)) from error
    if b"\0" in data:
        raise _file_refused("desk_import_encoding", row=_line(data, data.index(b"\0")))


def _line(data: bytes, end: int) -> int:
    """Number of the line that position `end` is in: lines end with LF, CR or both."""
    return 1 + data.count(b"\n", 0, end) + data.count(b"\r", 0, end) - data.count(b"\r\n", 0, end)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise ValueError("a name twice in one object")
    return entry


def _file_refused(code: str, *, row: int = 1, **fields: object) -> ImportRefused:
    return ImportRefused([BadCell(row, "", UsageError(code, **fields))])


def rows_of(data: bytes, media_type: str) -> Iterator[Row]:
    """Rows of a file of that media type. Raises ImportRefused, KeyError for a type that is not read."""
    return {"text/csv": csv_rows, "application/json": json_rows}[media_type](data)
