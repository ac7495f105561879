"""Pictures of what a scanner has before it: an order label, a seal, a jewellery tag, a command card; and
photographs.

Every picture is a function of its arguments. `photograph` and `wild` take a seed, and the same seed gives
the same pixels with the same version of Pillow.
"""

from __future__ import annotations

from math import cos, hypot, pi, radians, sin
from random import Random
from typing import Final

try:
    import zxingcpp
    from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
except ImportError as error:
    raise ImportError("labels are drawn with Pillow and zxing-cpp: pip install plomba[sim]") from error

QR_ALPHANUMERIC: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
UIN_DIGITS: Final = 16

# The face that Pillow brings along has no Cyrillic; one of these comes with every common system.
_FACES: Final = (
    "DejaVuSans.ttf",
    "Arial.ttf",
    "arial.ttf",
    "LiberationSans-Regular.ttf",
    "NotoSans-Regular.ttf",
)

_PAPER: Final = (250, 249, 244)
_INK: Final = (22, 22, 26)
_SEAL_RED: Final = (196, 34, 40)
_SILVER: Final = (214, 218, 224)

_Point = tuple[float, float]


def order_label(order_id: str, place_text: str) -> Image.Image:
    """A thermal label: Code 128 of `order_id`, the number for people, and the place it goes to.

    Raises ValueError unless `order_id` is printable ASCII of 1 to 40 characters.
    """
    if not (1 <= len(order_id) <= 40 and order_id.isascii() and order_id.isprintable()):
        raise ValueError(f"an order number is 1 to 40 printable ASCII characters: {order_id!r}")
    bars = _symbol(order_id, zxingcpp.BarcodeFormat.Code128, width=620)
    bars = bars.resize((bars.width, 150), Image.Resampling.NEAREST)
    label = Image.new("RGB", (bars.width + 40, 400), _PAPER)
    draw = ImageDraw.Draw(label)
    draw.rectangle((4, 4, label.width - 5, label.height - 5), outline=_INK, width=3)
    label.paste(bars, (20, 24))
    _centred(draw, (label.width // 2, 206), order_id, 40)
    draw.line((4, 240, label.width - 5, 240), fill=_INK, width=3)
    _centred(draw, (label.width // 2, 278), place_text, 32)
    draw.rectangle((4, 316, label.width - 5, label.height - 5), fill=_INK)
    _centred(draw, (label.width // 2, 356), order_id[-4:], 52, _PAPER)
    return label


def seal(text: str) -> Image.Image:
    """A tamper seal: a QR code in alphanumeric mode, the text for people, and a strip that shows when it
    was lifted.

    Raises ValueError for text that the alphanumeric mode cannot hold, or that is empty or over 300
    characters.
    """
    if not (1 <= len(text) <= 300 and QR_ALPHANUMERIC.issuperset(text)):
        raise ValueError(f"a seal holds 1 to 300 characters of the QR alphanumeric set: {text!r}")
    code = _symbol(text, zxingcpp.BarcodeFormat.QRCode, width=300, ec_level="M")
    picture = Image.new("RGB", (code.width + 340, code.height + 100), _SEAL_RED)
    draw = ImageDraw.Draw(picture)
    for x in range(0, picture.width, 48):
        draw.polygon(((x, 0), (x + 24, 0), (x + 12, 24), (x - 12, 24)), fill=_PAPER)
    picture.paste(code, (30, 50))
    middle = 30 + code.width + (picture.width - 30 - code.width) // 2
    _centred(draw, (middle, 90), "ПЛОМБА", 54, _PAPER)
    _centred(draw, (middle, 150), "НЕ ВСКРЫВАТЬ", 30, _PAPER)
    for line, start in enumerate(range(0, min(len(text), 48), 16)):
        _centred(draw, (middle, 220 + 36 * line), text[start : start + 16], 26, _PAPER)
    return picture


def jewellery_tag(uin: str) -> Image.Image:
    """A tag on a thread: a Data Matrix of the sixteen-digit УИН and the number for people.

    Raises ValueError for anything but sixteen digits.
    """
    if not (len(uin) == UIN_DIGITS and uin.isascii() and uin.isdigit()):
        raise ValueError(f"a УИН is {UIN_DIGITS} digits: {uin!r}")
    code = _symbol(uin, zxingcpp.BarcodeFormat.DataMatrix, width=220)
    # The writer leaves a Data Matrix without a quiet zone: the paper around it is one.
    tag = Image.new("RGB", (code.width + 300, code.height + 80), _SILVER)
    draw = ImageDraw.Draw(tag)
    sheet = (6, 6, tag.width - 7, tag.height - 7)
    draw.rounded_rectangle(sheet, radius=24, fill=_PAPER, outline=_INK, width=2)
    tag.paste(code, (40, 40))
    hole_x, hole_y = tag.width - 36, tag.height // 2
    draw.ellipse((hole_x - 14, hole_y - 14, hole_x + 14, hole_y + 14), fill=_SILVER)
    middle = 40 + code.width + (tag.width - 100 - code.width) // 2
    _centred(draw, (middle, tag.height // 2 - 50), "УИН", 30)
    for line in range(2):
        _centred(draw, (middle, tag.height // 2 + 40 * line), uin[8 * line : 8 * line + 8], 30)
    return tag


def command_card(title: str, code: str) -> Image.Image:
    """A card on the counter: a QR code that stands for a key. ValueError unless it is 1 to 300 bytes."""
    if not 1 <= len(code.encode()) <= 300:
        raise ValueError(f"a command code is 1 to 300 bytes: {code!r}")
    symbol = _symbol(code, zxingcpp.BarcodeFormat.QRCode, width=320, ec_level="M")
    card = Image.new("RGB", (symbol.width + 120, symbol.height + 150), _PAPER)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((6, 6, card.width - 7, card.height - 7), radius=20, outline=_INK, width=6)
    card.paste(symbol, (60, 40))
    _centred(draw, (card.width // 2, card.height - 62), title, 44)
    return card


def photograph(
    image: Image.Image,
    seed: int,
    *,
    size: tuple[int, int] = (640, 480),
    fill: float = 0.85,
    rotation_deg: float = 0.0,
    tilt_deg: float = 0.0,
    blur: float = 0.0,
    noise: float = 0.0,
    shade: float = 0.0,
    contrast: float = 1.0,
) -> Image.Image:
    """The picture as a camera sees it on a table: grey, `size` pixels.

    `fill` is the part of the frame the picture takes, `rotation_deg` its turn against the clock, `tilt_deg`
    how far it leans away in a direction that `seed` chooses. `blur` is the radius and `noise` the standard
    deviation, in pixels and in grey levels of 255. `shade` is the part of the light that is missing in the
    darkest corner, `contrast` 1.0 for black on white.
    """
    rng = Random(seed)
    quad = _posed(image.size, radians(rotation_deg), radians(tilt_deg), rng.uniform(0, 2 * pi))
    quad = _framed(quad, size, fill, rng)
    # Once down to its size with a good filter, so that the projection does not skip thin bars.
    widest = max(hypot(b[0] - a[0], b[1] - a[1]) for a, b in ((quad[0], quad[1]), (quad[3], quad[2])))
    scale = min(1.0, widest / image.width)
    small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    picture = image.convert("L").resize(small, Image.Resampling.LANCZOS)
    coefficients = _projection(small, quad)
    project = Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
    mask = Image.new("L", small, 255).transform(size, *project)
    photo = Image.composite(picture.transform(size, *project), _table(size, rng), mask)
    if shade:
        photo = ImageChops.multiply(photo, _light(size, shade, rng))
    if contrast != 1.0:
        photo = photo.point([round(128 + (level - 128) * contrast) for level in range(256)])
    if blur:
        photo = photo.filter(ImageFilter.GaussianBlur(blur))
    return _noisy(photo, noise, rng) if noise else photo


def wild(image: Image.Image, seed: int) -> Image.Image:
    """As bad a photograph as a scanner must read: any way up, a little askew, tilted, soft, dim, grainy."""
    rng = Random(f"wild {seed}")
    return photograph(
        image,
        seed,
        fill=rng.uniform(0.7, 0.95),
        rotation_deg=rng.choice((0, 90, 180, 270)) + rng.uniform(-12, 12),
        tilt_deg=rng.uniform(0, 20),
        blur=rng.uniform(0, 0.8),
        noise=rng.uniform(0, 10),
        shade=rng.uniform(0, 0.4),
        contrast=rng.uniform(0.7, 1.0),
    )


def _symbol(content: str, symbology: zxingcpp.BarcodeFormat, width: int, **options: str) -> Image.Image:
    """The code alone, about `width` pixels wide, each module a whole number of pixels."""
    barcode = zxingcpp.create_barcode(content, symbology, **options)
    modules = barcode.to_image(scale=1).shape[1]
    drawn = barcode.to_image(scale=max(2, round(width / modules)))
    return Image.fromarray(drawn)


def _centred(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, ink: tuple[int, int, int] = _INK
) -> None:
    draw.text(at, text, font=_font(size), fill=ink, anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for face in _FACES:
        try:
            return ImageFont.truetype(face, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _posed(size: tuple[int, int], turn: float, tilt: float, axis: float) -> list[_Point]:
    """The corners of a sheet, turned in its plane and tilted about a line in it, as a lens sees them."""
    width, height = size
    distance = 2.5 * max(size)
    corners = []
    for x, y in ((-width, -height), (width, -height), (width, height), (-width, height)):
        turned_x, turned_y = (x * cos(turn) + y * sin(turn)) / 2, (y * cos(turn) - x * sin(turn)) / 2
        along = turned_x * cos(axis) + turned_y * sin(axis)
        across = turned_y * cos(axis) - turned_x * sin(axis)
        across, depth = across * cos(tilt), across * sin(tilt)
        nearer = distance / (distance + depth)
        corners.append(
            (
                (along * cos(axis) - across * sin(axis)) * nearer,
                (along * sin(axis) + across * cos(axis)) * nearer,
            )
        )
    return corners


def _framed(quad: list[_Point], size: tuple[int, int], fill: float, rng: Random) -> list[_Point]:
    """The same shape, as large as `fill` of the frame allows, somewhere near its middle."""
    left, right = min(x for x, _ in quad), max(x for x, _ in quad)
    top, bottom = min(y for _, y in quad), max(y for _, y in quad)
    scale = fill * min(size[0] / (right - left), size[1] / (bottom - top))
    room_x, room_y = size[0] - scale * (right - left), size[1] - scale * (bottom - top)
    x0, y0 = room_x * rng.uniform(0.25, 0.75), room_y * rng.uniform(0.25, 0.75)
    return [(x0 + scale * (x - left), y0 + scale * (y - top)) for x, y in quad]


def _projection(source: tuple[int, int], quad: list[_Point]) -> tuple[float, ...]:
    """Pillow's eight coefficients from the frame back to `source`, whose corners lie on `quad`.

    Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), 2.2.3: the unit square onto the
    quadrilateral, then the adjugate of that matrix, which is its inverse but for a factor.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    dx1, dx2, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    area = dx1 * dy2 - dx2 * dy1
    g, h = (sx * dy2 - dx2 * sy) / area, (dx1 * sy - sx * dy1) / area
    a, b, c = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    d, e, f = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    to_x = e - f * h, c * h - b, b * f - c * e
    to_y = f * g - d, a - c * g, c * d - a * f
    depth = d * h - e * g, b * g - a * h, a * e - b * d
    width, height = source
    rows = [value * width for value in to_x], [value * height for value in to_y], depth
    return tuple(value / depth[2] for row in rows for value in row)[:8]


def _table(size: tuple[int, int], rng: Random) -> Image.Image:
    """A mottled surface, neither black nor white."""
    base = rng.randrange(70, 180)
    mottle = Image.frombytes("L", (32, 24), rng.randbytes(32 * 24)).resize(size, Image.Resampling.BICUBIC)
    return mottle.point([base + round((level - 128) * 0.15) for level in range(256)])


def _light(size: tuple[int, int], shade: float, rng: Random) -> Image.Image:
    corners = [round(255 * (1 - shade * rng.random())) for _ in range(4)]
    corners[rng.randrange(4)] = round(255 * (1 - shade))
    corners[rng.randrange(4)] = 255
    return Image.frombytes("L", (2, 2), bytes(corners)).resize(size, Image.Resampling.BILINEAR)


def _noisy(photo: Image.Image, deviation: float, rng: Random) -> Image.Image:
    """Noise as the mean of two uniform bytes: a triangle, whose standard deviation is 255 / sqrt(24)."""
    count = photo.width * photo.height
    one, other = (Image.frombytes("L", photo.size, rng.randbytes(count)) for _ in range(2))
    grain = Image.blend(one, other, 0.5)
    scale = deviation * 24**0.5 / 255
    grain = grain.point([min(255, max(0, round(128 + (level - 127.5) * scale))) for level in range(256)])
    return ImageChops.add(photo, grain, 1, -128)
