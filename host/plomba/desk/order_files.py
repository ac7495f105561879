"""Import files: CSV and JSON into rows of text cells, or a list of what is wrong with the file (docs/orders.md)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping

from plomba.desk.orders import COLUMNS, REQUIRED, BadCell, ImportRefused
from plomba.errors import UsageError

ROWS_MAX = 65535
"""Rows of one file: a manifest cannot index more orders."""

_DELIMITERS = ",;\t"
_NUMBERS = ("place", "value")
_LISTS = ("seals", "uins", "codes")

Row = tuple[int, Mapping[str, str]]


def csv_rows(data: bytes) -> list[Row]:
    """Rows numbered as in a spreadsheet: the header is row 1. Raises ImportRefused."""
    text = _decoded(data)
    if not text:
        raise _file_refused("desk_import_empty")
    # A number that lost its last digits is still a number; only the line break proves that the row is whole.
    if text[-1] not in "\r\n":
        raise _file_refused("desk_import_truncated", row=text.count("\n") + 1)
    header_line = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    bad: list[BadCell] = []
    header: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1:
                header = _header(cells)
            elif len(rows) == ROWS_MAX:
                raise _file_refused("desk_import_long", row=number, limit=ROWS_MAX)
            elif len(cells) == len(header):
                rows.append((number, dict(zip(header, cells, strict=True))))
            elif cells:
                error = UsageError("desk_row_width", count=len(cells), wanted=len(header))
                bad.append(BadCell(number, "", error))
    except csv.Error as error:
        code = "desk_import_truncated" if "unexpected end" in str(error) else "desk_import_syntax"
        raise _file_refused(code, row=number + 1, reason=error) from error
    if bad:
        raise ImportRefused(bad)
    return rows


def json_rows(data: bytes) -> list[Row]:
    """Rows numbered from 1. Raises ImportRefused."""
    text = _decoded(data)
    try:
        listed = json.loads(
            text,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_no_constant,
            object_pairs_hook=_each_once,
        )
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        code = "desk_import_truncated" if at_end else "desk_import_syntax"
        raise _file_refused(code, row=error.lineno, reason=error.msg) from error
    except (ValueError, RecursionError) as error:
        raise _file_refused("desk_import_syntax", reason=error) from error
    if not isinstance(listed, list):
        raise _file_refused("desk_import_syntax", reason="not a list of orders")
    if len(listed) > ROWS_MAX:
        raise _file_refused("desk_import_long", row=ROWS_MAX + 1, limit=ROWS_MAX)
    rows: list[Row] = []
    bad: list[BadCell] = []
    for number, entry in enumerate(listed, start=1):
        if not isinstance(entry, dict):
            bad.append(BadCell(number, "", UsageError("desk_row_type", column="")))
            continue
        cells: dict[str, str] = {}
        for column, value in entry.items():
            if column not in COLUMNS:
                bad.append(_unknown_column(number, column))
                continue
            cell = _cell(column, value)
            if cell is None:
                bad.append(BadCell(number, column, UsageError("desk_row_type", column=column)))
            else:
                cells[column] = cell
        rows.append((number, cells))
    if bad:
        raise ImportRefused(bad)
    return rows


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
    names = [cell.strip() for cell in cells]
    unknown = [_unknown_column(1, name) for at, name in enumerate(names) if name not in COLUMNS or name in names[:at]]
    missing = [
        BadCell(1, name, UsageError("desk_import_column_missing", column=name))
        for name in REQUIRED
        if name not in names
    ]
    if unknown or missing:
        raise ImportRefused(unknown + missing)
    return names


def _unknown_column(row: int, name: str) -> BadCell:
    error = UsageError("desk_import_column_unknown", column=name)
    return BadCell(row, str(error.fields["column"]), error)


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _file_refused("desk_import_encoding", row=data.count(b"\n", 0, error.start) + 1) from error
    if "\0" in text:
        raise _file_refused("desk_import_encoding", row=text.count("\n", 0, text.index("\0")) + 1)
    return text


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise ValueError("a name twice in one object")
    return entry


def _file_refused(code: str, *, row: int = 1, **fields: object) -> ImportRefused:
    return ImportRefused([BadCell(row, "", UsageError(code, **fields))])


def rows_of(data: bytes, media_type: str) -> Iterable[Row]:
    """Rows of a file of that media type. Raises ImportRefused, KeyError for a type that is not read."""
    return {"text/csv": csv_rows, "application/json": json_rows}[media_type](data)
