"""The page in a real browser."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from api_scene import Api
from book_scene import Clock, accept, take
from chromium import chromium
from desk_process import DeskProcess
from desk_records import Scanner
from hand_over_scene import VALUED
from playwright.sync_api import Browser, Page, expect

from plomba.desk import lifecycle, steps
from plomba.desk import page as desk_page
from plomba.desk.book import Book
from plomba.desk.receiving import KEPT
from plomba.desk.words import names
from plomba.texts import LANGUAGES
from plomba_wire.vocabulary import Action, State, Verdict

HEADER = "order,class,place,value,currency,shop,cell,seals\n"
ORDERS = HEADER + "A-1,sealed,17,48900.50,RUB,Север,A-12,S1\nA-2,plain,17,1250.00,RUB,Чай,B-03,\n"
HOSTILE = ["<script>window.owned=1</script>", "<img src=x onerror=owned=1>", '"><b>x', "שלום-7", "{{ 7*7 }}"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url) if "/stream" not in request.url else None)
    yield page
    context.close()
    assert faults == []


def row(page: Page, order: str):  # type: ignore[no-untyped-def]
    return page.locator("tr[data-order]").filter(has=page.get_by_text(order, exact=True))


def test_scans_appear_without_a_reload(desk: DeskProcess, scanner: Scanner, page: Page) -> None:
    desk.orders(ORDERS)
    page.goto(desk.url)
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    page.evaluate("window.here = true")
    expect(row(page, "A-1").locator(".state")).to_have_text("at the point")
    expect(row(page, "A-1")).to_contain_text("48,900.50")
    wanted = [
        ("ready", "pick-up point 17", "stored"),
        ("being handed out", "pick-up point 17", "Scan the seal"),
        ("verified", "pick-up point 17", "Seal is right"),
        ("delivered", "customer", "hand-out"),
    ]
    for event, (state, holder, scan) in zip(scanner.way("A-1", "S1"), wanted, strict=True):
        desk.post(event)
        expect(row(page, "A-1").locator(".state")).to_have_text(state)
        expect(row(page, "A-1").locator(".holder")).to_have_text(holder)
        expect(row(page, "A-1").locator(".scan")).to_contain_text(scan)
        expect(row(page, "A-1")).to_have_class("fresh")
    expect(page.locator("[data-holder=customer] b")).to_have_text("1")
    expect(page.locator("[data-holder=point] b")).to_have_text("1")
    expect(page.locator("[data-holder=customer] .worth")).to_contain_text("48,900.50")
    desk.orders(HEADER + "A-3,plain,17,,,,,\n")
    expect(row(page, "A-3")).to_have_count(1)
    expect(row(page, "A-1")).not_to_have_class("fresh")
    assert page.evaluate("window.here") is True


def test_differences_stand_where_nobody_overlooks_them(desk: DeskProcess, scanner: Scanner, page: Page) -> None:
    desk.orders(ORDERS)
    page.goto(desk.url)
    expect(page.locator(".calm")).to_be_visible()
    desk.post(scanner.store("A-1"), scanner.retrieve("A-1"), scanner.hand_out("A-1"), scanner.store("Z-9"))
    expect(page.locator(".troubles li")).to_have_count(2)
    expect(page.locator(".troubles")).to_contain_text("the terminal says “delivered”, the desk “being handed out”")
    expect(page.locator(".troubles")).to_contain_text("the seal was not proved before the hand-out")
    expect(page.locator(".troubles")).to_contain_text("Z-9")
    expect(row(page, "A-1").locator(".differs")).to_be_visible()
    desk.post(scanner.apply("A-2", "S1", State.AT_POINT))
    expect(page.locator(".troubles")).to_contain_text("the terminal recorded “seal applied”, the desk does not")
    expect(page.locator(".troubles")).to_contain_text("the seal is another order's, or was broken")
    scanner.seq, scanner.head = scanner.seq - 1, bytes(32)
    desk.post(scanner.store("A-2"))
    expect(page.locator(".troubles .grave")).to_contain_text("A copied terminal?")


def test_hostile_data_is_shown_as_it_is(desk: DeskProcess, scanner: Scanner, page: Page) -> None:
    entries = [{"order": id, "class": "plain", "place": 17, "shop": id, "cell": "<b>"} for id in HOSTILE]
    assert desk.http.post("/api/v1/orders", json=entries).status_code == 200
    page.goto(desk.url)
    for id in HOSTILE:
        desk.post(scanner.record(0x24, Verdict.OK, id, after=State.DELIVERED))
    desk.post(*(scanner.store(f"{id[:20]}!") for id in HOSTILE))
    expect(page.locator(".troubles li")).to_have_count(10)
    assert sorted(page.locator("tr[data-order] th bdi").all_text_contents()) == sorted(HOSTILE)
    assert sorted(page.locator("tr[data-order]").evaluate_all("rows => rows.map(r => r.dataset.order)")) == sorted(
        HOSTILE
    )
    assert page.evaluate("window.owned") is None
    assert page.locator("#live script, #live img").count() == 0


def test_the_page_says_when_it_is_cut_off(desk: DeskProcess, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(desk.url)
    expect(page.locator("html")).to_have_attribute("data-link", "live")
    desk.kill()
    expect(page.locator("html")).to_have_attribute("data-link", "lost")
    expect(page.locator(".when-lost")).to_be_visible()
    page.close()


def test_without_javascript_all_is_there(desk: DeskProcess, scanner: Scanner, browser: Browser) -> None:
    desk.orders(ORDERS)
    desk.post(*scanner.way("A-1", "S1"))
    context = browser.new_context(java_script_enabled=False, locale="uk-UA")
    page = context.new_page()
    page.goto(desk.url)
    expect(page.locator("html")).to_have_attribute("lang", "uk")
    expect(row(page, "A-1").locator(".state")).to_have_text("видано")
    expect(page.locator("header noscript span")).to_be_visible()
    assert page.locator("head noscript").inner_html().count("refresh") == 1
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out_of_the_screen(desk: DeskProcess, scanner: Scanner, browser: Browser, width: int) -> None:
    rows = [f"{'W' * 48},sealed,17,99999999999.99,UZS,{'Ы' * 60},ЯЯЯЯ,{'S' * 64}"]
    desk.orders(HEADER + "\n".join(rows) + "\n")
    desk.post(scanner.record(0x24, Verdict.OK, "W" * 48, after=State.DELIVERED))
    page = browser.new_page(viewport={"width": width, "height": 800}, locale="ru-RU")
    page.goto(desk.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize(
    ("query", "header", "lang"),
    [
        ("", "ru-RU,ru;q=0.9", "ru"),
        ("", "de, uk;q=0.3, en;q=0.2", "uk"),
        ("", "en;q=0.2, ru;q=0.8", "ru"),
        ("?lang=uk", "ru", "uk"),
        ("?lang=xx", "ru", "ru"),
        ("?lang=%3Cscript%3E", "uk;q=x, ru;q=0", "en"),
    ],
)
def test_it_speaks_the_readers_language(desk: DeskProcess, query: str, header: str, lang: str) -> None:
    for path in ("/", "/live"):
        answer = desk.http.get(path + query, headers={"accept-language": header})
        assert answer.headers["content-language"] == lang
    assert f'lang="{lang}"' in desk.http.get("/" + query, headers={"accept-language": header}).text


def test_every_word_a_record_can_call_for_is_there() -> None:
    whys = {why for name, why in vars(steps).items() if name.isupper() and isinstance(why, str)}
    assert len(whys) == 12
    keys = [f"why_{why}" for why in whys - {steps.TRAINING}]
    keys += [f"holder_{holder}" for holder in lifecycle.load().holders]
    keys += [f"conflict_{code}" for code in KEPT]
    for lang in LANGUAGES:
        said = desk_page.Said(lang)
        assert all(said.t(key, seq=1) for key in keys)
        for verdict in names("verdict"):
            assert said.verdict(verdict)
            lamps = {said.lamp(action, verdict) for action in names("action")}
            assert lamps <= {"off", "green", "blue", "amber", "red"}


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str | None] = []
        self.inline: list[str] = []
        self.links: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._in_script = tag == "script"
        if tag == "script":
            self.scripts.append(named.get("src"))
        self.inline += [name for name in named if name.startswith("on") or name == "style"]
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)


def test_the_page_keeps_to_its_own_house(desk: DeskProcess) -> None:
    answer = desk.http.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert desk.http.get("/nope").headers["content-security-policy"] == policy
    markup = _Markup()
    markup.feed(answer.text)
    assert markup.scripts == ["static/live.js"]
    assert markup.inline == []
    assert [link for link in markup.links if "//" in link] == []
    static = Path(desk_page.__file__).with_name("static")
    assert len((static / "live.js").read_text(encoding="utf-8").splitlines()) <= 40
    for file in static.iterdir():
        found = desk.http.get(f"/static/{file.name}")
        assert found.status_code == 200
        assert not re.search(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)\w+\.\w+", found.text)


def test_a_deadline_that_passed_is_on_the_page_without_a_request(page: Page, desk: DeskProcess) -> None:
    page.goto(desk.url)
    desk.orders(
        "order,class,place,value,currency,state,cutoff\nL-1,plain,17,900,RUB,ACCEPTED,2026-01-01T09:00:00+03:00\n"
    )
    incident = page.locator("[data-incident]")
    expect(incident).to_contain_text("L-1", timeout=20_000)
    expect(incident).to_contain_text("900")


def part(api: Api, marked: str) -> str:
    """The texts of the first element of the page that begins with `marked`, without its tags; "" for none."""
    found = api.http.get("/live?lang=en").text
    begun = re.search(rf"<(\w+) {marked}", found)
    if begun is None:
        return ""
    inside = found[begun.start() :].partition(f"</{begun[1]}>")[0]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", inside)).split())


INCIDENTS = 'class="troubles incidents"'


def test_a_deadline_says_what_was_not_done_by_whom_and_what_became_of_it(
    api: Api, book: Book, counter: Scanner, clock: Clock
) -> None:
    counter.time = clock.now
    take(book, "A-1,sealed,17,READY,900.00,RUB\n", VALUED)
    clock.now += 30
    accept(book, counter.retrieve("A-1"))
    due = counter.time + 600
    clock.now = due + 60
    book.tick()
    assert "Incidents 0 Not heard from a terminal, and nobody's fault: 1 orders" in part(api, INCIDENTS)
    assert "not heard" in part(api, 'data-order="A-1"')
    assert part(api, "data-incident") == ""
    clock.now = due + 200
    accept(book, counter.record(Action.NOTE, Verdict.NOTED, time=due + 130))
    book.tick()
    assert part(api, INCIDENTS).startswith("Incidents 1 A-1 ")
    assert "not heard" not in part(api, INCIDENTS).lower() + part(api, 'data-order="A-1"')
    said = desk_page.Said("en")
    told = f"A-1 {said.t('incident_left_unscanned')} pick-up point 17 · 900\u202f₽ due {said.clock(due)}"
    assert part(api, "data-incident") == " ".join(told.split())
    assert f'due <time datetime="{said.utc(due)}"' in " ".join(api.http.get("/live?lang=en").text.split())
    accept(book, counter.record(Action.REFUSE, Verdict.OK, "A-1", after=State.REFUSED, time=due + 190))
    assert "₽ · done late due" in part(api, "data-incident")
    book.close_incident(1, "anna", "found")
    assert part(api, INCIDENTS) == ""


def test_the_newest_incident_that_nobody_has_closed_stands_first(api: Api, book: Book, counter: Scanner) -> None:
    take(book, "A-1,plain,17,,,\nA-2,plain,17,,,\nA-3,plain,17,,,\n")
    accept(book, *(counter.record(Action.DAMAGE, Verdict.OK, id) for id in ("A-1", "A-2", "A-3")))
    book.close_incident(2, "anna", "")
    assert re.findall('data-incident="(.)"', api.http.get("/live").text) == ["3", "1"]
    assert part(api, INCIDENTS).startswith("Incidents 2 A-3 ")
