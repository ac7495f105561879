"""The printed sheet in a real browser: each QR code is read off the picture, with its name below it, one to a label."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from chromium import chromium
from PIL import Image
from playwright.sync_api import Browser, Page
from seal_scene import Command, House

from plomba.cli.seal_sheet import PAPERS
from plomba.trust import seal_batch
from plomba.trust.sealing import Made

PX = 96 / 25.4
"""CSS pixels of a millimetre."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A4 wide, at 288 dots an inch."""
    context = browser.new_context(viewport={"width": 794, "height": 1123}, device_scale_factor=3)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith("file:") else None)
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def batch(house: House, tmp_path: Path) -> Path:
    seal_batch.write(tmp_path / "seals.txt", house.issue(70))
    return tmp_path / "seals.txt"


def read(shot: bytes) -> list[str]:
    """The QR codes in a picture."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)), formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.bytes.decode("ascii") for code in found]


@pytest.mark.parametrize("paper", PAPERS)
def test_each_seal_is_read_off_its_label(run: Command, page: Page, batch: Path, tmp_path: Path, paper: str) -> None:
    assert run("seals", "print", batch, "-o", tmp_path / "sheet.html", "--paper", paper).status == 0
    page.goto((tmp_path / "sheet.html").as_uri())
    size = PAPERS[paper]
    labels = page.locator("section > div").all()
    seals = seal_batch.read(batch)
    assert len(labels) == len(seals)
    for label, made in [*zip(labels, seals, strict=True)][::7]:
        [text] = read(label.screenshot())
        assert Made(label.locator("p").inner_text(), text) == made
        box, name = label.bounding_box(), label.locator("p").bounding_box()
        assert box is not None and name is not None
        assert (round(box["width"] / PX, 1), round(box["height"] / PX, 1)) == (size.width, size.height)
        assert name["y"] + name["height"] <= box["y"] + box["height"] and name["width"] <= box["width"]
    sheets = page.locator("section").all()
    assert sheets[0].locator("div").count() == size.columns * size.rows
    assert len(sheets) == -(-70 // (size.columns * size.rows))


def test_a_whole_sheet_in_one_picture(run: Command, page: Page, batch: Path, tmp_path: Path) -> None:
    run("seals", "print", batch, "-o", tmp_path / "sheet.html")
    page.goto((tmp_path / "sheet.html").as_uri())
    shot = page.locator("section").first.screenshot()
    assert sorted(read(shot)) == sorted(made.text for made in seal_batch.read(batch)[:24])


def test_it_prints_on_whole_a4_sheets(run: Command, page: Page, batch: Path, tmp_path: Path) -> None:
    run("seals", "print", batch, "-o", tmp_path / "sheet.html")
    page.goto((tmp_path / "sheet.html").as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 3
    [(width, height)] = set(re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf))
    assert abs(float(width) - 595.28) < 1 and abs(float(height) - 841.89) < 1


def test_a_hostile_file_name_is_text(run: Command, page: Page, batch: Path, tmp_path: Path) -> None:
    hostile = batch.rename(tmp_path / "<img src=x onerror=alert(1)>&amp;.txt")
    run("seals", "print", hostile, "-o", tmp_path / "sheet.html")
    page.goto((tmp_path / "sheet.html").as_uri())
    assert page.title() == hostile.name
    assert page.locator("img, script").count() == 0


def test_lines_that_are_no_seals_print_nothing(run: Command, batch: Path, tmp_path: Path) -> None:
    """A stranger's text or markup in the file; and a name over another seal's code."""
    lines = batch.read_bytes().splitlines()
    (first, text), (second, other) = (line.split(b"\t") for line in lines[:2])
    for at, line in enumerate(
        [
            b"",
            first,
            text,
            first + b" " + text,
            first + b"\t" + other,
            second + b"\t" + text,
            first.replace(b"-", b"") + b"\t" + text,
            b"<b>1</b>\t" + text,
            first + b"\t" + text + b"\t" + text,
            first + b"\t<script>alert(1)</script>",
            first + b"\t" + text.lower(),
            b"\xff\xfe\t" + text,
        ]
    ):
        path = tmp_path / f"bad{at}.txt"
        path.write_bytes(b"\n".join([lines[5], line, lines[6]]))
        ran = run("seals", "print", path, "-o", tmp_path / "sheet.html")
        assert (ran.status, ran.code) == (2, "seal_batch_unreadable"), line
        assert ", line 2:" in ran.err
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    assert run("seals", "print", empty, "-o", tmp_path / "sheet.html").code == "seal_batch_unreadable"
    assert not (tmp_path / "sheet.html").exists()


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names of files are Unicode")
def test_a_batch_whose_name_is_no_text_is_printed(run: Command, batch: Path, tmp_path: Path) -> None:
    unreadable = batch.rename(tmp_path / os.fsdecode(b"seals-\xff.txt"))
    assert run("seals", "print", unreadable, "-o", tmp_path / "sheet.html").status == 0
    assert "<title>seals-?.txt</title>" in (tmp_path / "sheet.html").read_text(encoding="utf-8")


def test_without_the_extra_it_says_what_to_install(
    run: Command, batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    ran = run("seals", "print", batch, "-o", tmp_path / "sheet.html")
    assert ran.status == 1
    assert "plomba[print]" in ran.err and "[extra_missing]" in ran.err
    assert not (tmp_path / "sheet.html").exists()
