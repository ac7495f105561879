"""The page of cards in a real browser: what is on it is read back, all of it and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from chromium import chromium
from PIL import Image
from playwright.sync_api import Browser, Page

from plomba.print import cards
from plomba.print.sheet import Card, Group, qr_svg, render
from plomba.texts import LANGUAGES

ONLY = "modes,commands,digits,reasons,results,cells=A-01..A-20,cells=Ї-1,badge=17,route=12,sack=M-7/Ю,act=" + "W" * 48
HOSTILE = ["<script>document.title=1</script>", '"><img src=x onerror=alert(1)>', "&amp;</b></style>", "{0} %s {title}"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The width of A4 at 96 dots an inch, as it is printed; nothing may go wrong unseen, nothing is fetched."""
    context = browser.new_context(viewport={"width": 794, "height": 1123})
    page = context.new_page()
    page.emulate_media(media="print")
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith("file:") else None)
    yield page
    context.close()
    assert faults == []


def show(page: Page, folder: Path, groups: list[Group], lang: str = "ru") -> None:
    path = folder / "cards.html"
    path.write_text(render("Карты", "Печатай", groups, lang=lang), encoding="utf-8")
    page.goto(path.as_uri())


def read(page: Page) -> list[str]:
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    return sorted(code.text for code in zxingcpp.read_barcodes(picture))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_card_on_the_page_reads_as_itself(page: Page, tmp_path: Path, lang: str) -> None:
    groups = cards.groups(ONLY, lang)
    show(page, tmp_path, groups, lang)
    assert read(page) == sorted(card.text for group in groups for card in group.cards)


def test_each_code_stands_above_its_own_words(page: Page, tmp_path: Path) -> None:
    groups = cards.groups("modes,digits,badge=17", "ru")
    show(page, tmp_path, groups)
    shown = page.locator("article")
    expected = [card for group in groups for card in group.cards]
    assert shown.count() == len(expected)
    for at in range(0, len(expected), 7):
        article = shown.nth(at)
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(article.screenshot())))
        card = expected[at]
        assert (code.text, article.locator("b").text_content()) == (card.text, card.title)
        assert article.locator("code").text_content() == card.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_words_are_cut_off_and_no_card_leaves_the_paper(page: Page, tmp_path: Path, lang: str) -> None:
    show(page, tmp_path, cards.groups(ONLY, lang), lang)
    cut = page.eval_on_selector_all(
        "article",
        "all => all.filter(a => a.scrollHeight > a.clientHeight || a.scrollWidth > a.clientWidth)"
        ".map(a => a.innerText)",
    )
    assert cut == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    sides = page.eval_on_selector_all("svg", "all => all.map(s => [s.clientWidth, s.clientHeight])")
    assert all(width == height >= 25 * 96 / 25.4 - 1 for width, height in sides)
    tops = "all => all.map(r => new Set([...r.querySelectorAll('article')].map(a => a.offsetTop)).size)"
    assert set(page.eval_on_selector_all(".row", tops)) == {1}


def test_hostile_texts_are_words_and_nothing_else(page: Page, tmp_path: Path) -> None:
    group = Group(HOSTILE[0], [Card(text, text, text) for text in HOSTILE])
    show(page, tmp_path, [group])
    assert page.title() == "Карты"
    assert page.locator("article b").all_text_contents() == HOSTILE
    assert page.locator("h2").all_text_contents() == HOSTILE[:1]
    assert page.locator("script, img").count() == 0
    assert read(page) == sorted(HOSTILE)


def test_a_row_never_breaks_between_two_sheets(page: Page, tmp_path: Path) -> None:
    show(page, tmp_path, cards.groups(None, "ru"))
    assert set(page.eval_on_selector_all(".row", "all => all.map(r => getComputedStyle(r).breakInside)")) == {"avoid"}
    tallest = max(page.eval_on_selector_all(".row", "all => all.map(r => r.offsetHeight)"))
    assert tallest <= (297 - 20) * 96 / 25.4


def test_a_symbol_is_square_and_has_its_quiet_zone() -> None:
    svg = qr_svg("PLB*OK")
    assert svg.startswith("<svg") and 'viewBox="0 0 29 29"' in svg
