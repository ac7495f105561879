"""The readers: what each is trusted with, and published photographs of real codes."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from plomba.sim import vision
from plomba.sim.labels import order_label, photograph, seal
from plomba.sim.vision import Camera, SeenCode, decode, readers

PHOTOS = Path(__file__).parent / "photos"
NAMES = {"qrcode": "QRCode", "code128": "Code128", "datamatrix": "DataMatrix", "ean13": "EAN13"}

needs_zbar = pytest.mark.skipif("pyzbar" not in readers(), reason="pyzbar or libzbar is not installed")


@pytest.fixture
def without_zbar(monkeypatch):
    monkeypatch.setattr(vision, "_zbar", lambda: None)


def symbol(content, symbology, scale=4):
    drawn = Image.fromarray(zxingcpp.create_barcode(content, symbology).to_image(scale=scale))
    page = Image.new("L", (drawn.width + 80, drawn.height + 80), 255)
    page.paste(drawn, (40, 40))
    return page


@pytest.mark.parametrize("picture", sorted(path.name for path in PHOTOS.iterdir() if path.suffix in (".webp", ".png")))
def test_published_photographs(picture, without_zbar):
    expected = SeenCode(NAMES[picture.split("-")[0]], (PHOTOS / picture).with_suffix(".txt").read_bytes())
    with Image.open(PHOTOS / picture) as image:
        assert decode(image) == [expected]


def test_the_readers_are_named():
    assert readers() in (["zxing-cpp"], ["zxing-cpp", "pyzbar"])


def test_without_zbar_there_is_one_reader(without_zbar):
    assert readers() == ["zxing-cpp"]
    assert decode(order_label("ORD-1", "")) == [SeenCode("Code128", b"ORD-1")]


@pytest.mark.parametrize(
    "error", [ImportError("Unable to find zbar shared library"), FileNotFoundError("libzbar-64.dll")]
)
def test_a_zbar_that_does_not_load_is_not_a_reader(monkeypatch, error):
    def refuse(name):
        raise error

    vision._zbar.cache_clear()
    monkeypatch.setattr(vision, "import_module", refuse)
    try:
        assert readers() == ["zxing-cpp"]
        assert decode(Image.new("L", (64, 64), 255)) == []
    finally:
        vision._zbar.cache_clear()


@pytest.mark.parametrize("symbology", [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix])
def test_binary_payloads_come_as_they_are(symbology):
    for seed in range(10):
        payload = Random(seed).randbytes(64)
        assert decode(symbol(payload, symbology)) == [SeenCode(symbology.name, payload)]


@needs_zbar
def test_pyzbar_is_not_believed_about_bytes():
    binary = symbol(bytes(range(200, 256)), zxingcpp.BarcodeFormat.QRCode)
    assert vision._by_zbar(binary) == []
    text = symbol("PL1:7K2M", zxingcpp.BarcodeFormat.QRCode)
    assert vision._by_zbar(text) == [SeenCode("QRCode", b"PL1:7K2M")]


@needs_zbar
def test_pyzbar_reads_what_zxing_does_not():
    goods = photograph(symbol("4006381333931", zxingcpp.BarcodeFormat.EAN13), 1, rotation_deg=32)
    assert vision._by_zxing(goods) == vision._by_zxing(vision._evenly_lit(goods)) == []
    assert decode(goods) == [SeenCode("EAN13", b"4006381333931")]


@pytest.mark.parametrize("symbology", ["ITF", "DataBar", "Code39", "PDF417", "Aztec"])
def test_symbologies_that_are_not_ours_are_not_read(symbology):
    content = "01234567890128" if symbology in ("ITF", "DataBar") else "1234567890"
    assert decode(symbol(content, getattr(zxingcpp.BarcodeFormat, symbology))) == []


def test_ean13_is_read():
    code = symbol("4006381333931", zxingcpp.BarcodeFormat.EAN13)
    assert decode(code) == [SeenCode("EAN13", b"4006381333931")]


def test_the_code_nearest_to_the_middle_comes_first():
    left, right = symbol("LEFT", zxingcpp.BarcodeFormat.QRCode), symbol("RIGHT", zxingcpp.BarcodeFormat.DataMatrix)
    page = Image.new("L", (900, 300), 255)
    page.paste(left, (360, 80))
    page.paste(right, (700, 80))
    assert [code.data for code in decode(page)] == [b"LEFT", b"RIGHT"]
    page = ImageChops.offset(page, -340, 0)
    assert [code.data for code in decode(page)] == [b"RIGHT", b"LEFT"]


def test_two_of_the_same_code_are_one():
    code = symbol("TWIN", zxingcpp.BarcodeFormat.QRCode)
    page = Image.new("L", (600, 300), 255)
    page.paste(code, (20, 50))
    page.paste(code, (320, 50))
    assert decode(page) == [SeenCode("QRCode", b"TWIN")]


def test_two_orders_one_above_the_other_are_both_read():
    page = Image.new("L", (700, 800), 255)
    page.paste(order_label("ORD-00000001", ""), (10, 0))
    page.paste(order_label("ORD-00000002", ""), (10, 400))
    assert {code.data for code in decode(page)} == {b"ORD-00000001", b"ORD-00000002"}


def test_a_steep_gradient_is_taken_out(without_zbar):
    label = order_label("ORD-00012345-7", "").convert("L")
    light = Image.linear_gradient("L").rotate(90).resize(label.size)
    dim = ImageChops.multiply(label, light.point([20 + level * 235 // 255 for level in range(256)]))
    assert decode(dim) == [SeenCode("Code128", b"ORD-00012345-7")]


def test_nothing_is_read_where_nothing_is():
    for seed in range(5):
        noise = Image.frombytes("L", (320, 240), Random(seed).randbytes(320 * 240))
        assert decode(noise.filter(ImageFilter.GaussianBlur(1))) == []


class TestCamera:
    def test_a_qr_code_counts_at_once(self):
        assert Camera().look(seal("PL1:7K2M")) == [SeenCode("QRCode", b"PL1:7K2M")]

    def test_bars_count_at_the_second_look(self, without_zbar):
        camera, label = Camera(), order_label("ORD-00012345-7", "")
        assert camera.look(photograph(label, 1)) == []
        assert camera.look(photograph(label, 2)) == [SeenCode("Code128", b"ORD-00012345-7")]

    @needs_zbar
    def test_two_readers_that_agree_need_no_second_look(self):
        label = order_label("ORD-00012345-7", "")
        assert Camera().look(photograph(label, 1)) == [SeenCode("Code128", b"ORD-00012345-7")]

    def test_two_looks_that_do_not_agree_count_for_nothing(self, without_zbar):
        camera = Camera()
        assert camera.look(order_label("ORD-00012345-7", "")) == []
        assert camera.look(order_label("ORD-00012345-8", "")) == []

    def test_an_old_look_is_forgotten(self, without_zbar):
        camera, label, blank = Camera(memory=2), order_label("ORD-1", ""), Image.new("L", (64, 64), 255)
        camera.look(label)
        camera.look(blank)
        assert camera.look(label) == [SeenCode("Code128", b"ORD-1")]
        camera.look(blank)
        camera.look(blank)
        assert camera.look(label) == []

    def test_a_known_misread_does_not_count(self):
        """A reading with a valid check digit that is wrong: one look would believe it."""
        with Image.open(PHOTOS / "ean13-35.webp") as image:
            misleading = vision._evenly_lit(image.convert("L"))
        right = SeenCode("EAN13", (PHOTOS / "ean13-35.txt").read_bytes())
        assert decode(misleading) not in ([], [right]), "the picture no longer misleads: find another"
        assert Camera().look(misleading) in ([], [right])

    def test_bars_beside_a_seal_do_not_ride_on_it(self, without_zbar):
        page = Image.new("L", (1000, 800), 255)
        page.paste(order_label("ORD-1", ""), (10, 0))
        page.paste(seal("PL1:7K2M"), (10, 400))
        camera = Camera()
        assert [code.symbology for code in camera.look(page)] == ["QRCode"]
        assert {code.symbology for code in camera.look(page)} == {"QRCode", "Code128"}


def test_a_drawing_of_bars_alone_is_not_a_code():
    page = Image.new("L", (400, 200), 255)
    draw = ImageDraw.Draw(page)
    rng = Random(5)
    x = 20
    while x < 380:
        width = rng.randrange(2, 8)
        draw.rectangle((x, 20, x + width, 180), fill=0)
        x += width + rng.randrange(2, 8)
    assert decode(page) == []
