"""Order files as tests write them, and what reading and taking one says."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import pytest

from plomba.desk.book import Book
from plomba.desk.importing import Imported, Trial
from plomba.desk.order_files import csv_rows
from plomba.desk.orders import ImportRefused, read_arrivals

Entry = Mapping[str, str]
PLAIN: Entry = {"order": "A-1", "class": "plain", "place": "17"}


def listed(*entries: Entry) -> bytes:
    """A CSV file of these orders."""
    columns = list(dict.fromkeys(column for entry in entries for column in entry))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    return text.getvalue().encode()


def take(book: Book, *entries: Entry, source: str = "shop.csv") -> Imported:
    arrivals, mistakes = read_arrivals(csv_rows(listed(*entries)), book.lifecycle)
    return book.take(arrivals, mistakes, source)


def trial(book: Book, data: bytes) -> Trial:
    return book.try_orders(*read_arrivals(csv_rows(data), book.lifecycle))


def refused(book: Book, *entries: Entry) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        take(book, *entries)
    return [(bad.row, bad.column, bad.error.code) for bad in caught.value.bad]


def everything(book: Book) -> list[tuple[object, ...]]:
    """Every row of every table that an import may write."""
    tables = ("orders", "order_codes", "personal", "personal_erased", "order_versions", "effects", "custody")
    return [row for table in tables for row in sorted(book.store.query(f"SELECT * FROM {table}"), key=repr)]
