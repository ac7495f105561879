"""Who may do what at the desk, over which orders; tokens; and who wrote what."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest
from account_scene import HERE, PEER, accounts_in, asked, logged_in, refused, with_password, with_token
from book_scene import Clock, take

from plomba.desk.accounts import Account, Anonymous
from plomba.desk.accounts.account import new
from plomba.desk.accounts.audit import LISTED_MAX, TEXT_MAX
from plomba.desk.accounts.register import DAY
from plomba.desk.accounts.rights import rights, roles
from plomba.desk.book import Book
from plomba.desk.store import Store
from plomba.errors import StoreError

MATRIX = """
                       clerk courier supervisor shop admin dock nobody
orders.read              x      x        x       x     x    -     -
orders.import            -      -        x       -     x    -     -
events.read              x      x        x       x     x    -     -
events.write             x      x        x       x     x    x     x
differences.read         -      -        x       -     x    -     -
overview.read            x      -        x       -     x    -     -
stream.read              x      x        x       x     x    -     -
terminals.read           -      -        x       -     x    -     -
terminals.write          -      -        -       -     x    x     -
terminal_objects.read    -      -        -       -     x    x     -
custody.read             x      x        x       x     x    -     -
incidents.read           x      x        x       x     x    -     -
incidents.close          -      -        x       -     x    -     -
decisions.write          -      -        x       -     x    -     -
personal.read            x      x        x       -     x    -     -
personal.write           -      -        x       -     x    -     -
personal.erase           -      -        -       -     x    -     -
accounts.read            -      -        -       -     x    -     -
accounts.write           -      -        -       -     x    -     -
audit.read               -      -        -       -     x    -     -
"""


@dataclass(frozen=True)
class Parcel:
    place: int
    shop: str
    holder: str
    party: str


def test_each_role_has_its_rights_and_no_other() -> None:
    head, *lines = [line.split() for line in MATRIX.strip().splitlines()]
    assert (tuple(head), {line[0] for line in lines}) == ((*roles(), "nobody"), set(rights()))
    for right, *cells in lines:
        for role, cell in zip(head, cells, strict=True):
            identity = Anonymous() if role == "nobody" else Account("a", role)
            assert identity.may(right) == (cell == "x"), (role, right)
        assert Anonymous(open=True).may(right)


def test_a_right_that_is_not_in_the_table_is_nobodys() -> None:
    for identity in (Anonymous(), Anonymous(open=True), *(Account("a", role) for role in roles())):
        with pytest.raises(KeyError):
            identity.may("orders.raed")


def test_an_account_sees_its_orders_in_a_page_as_in_the_store(book: Book) -> None:
    """`sees` and `narrowed` are two forms of one rule: every account on every order."""
    parcels: dict[str, Parcel] = {}
    for place in (17, 18):
        for shop in ("", "Север", "Юг"):
            for holder, party in (
                ("point", "17"),
                ("courier", "42"),
                ("courier", "4"),
                ("courier", ""),
                ("shop", "42"),
            ):
                parcels[f"A-{len(parcels)}"] = Parcel(place, shop, holder, party)
    take(
        book,
        "".join(f"{id},plain,{one.place},1,RUB,{one.shop}\n" for id, one in parcels.items()),
        "order,class,place,value,currency,shop\n",
    )
    for id, one in parcels.items():
        book.store.write(
            "UPDATE orders SET holder = :holder, party = :party WHERE id = :id",
            {"holder": one.holder, "party": one.party, "id": id},
        )
    wanted = {
        new("all", "clerk"): 30,
        new("here", "clerk", [17]): 15,
        new("both", "supervisor", [17, 18]): 30,
        new("elsewhere", "clerk", [19]): 0,
        new("shop", "shop", shop="Север"): 10,
        new("shop-here", "shop", [17], "Север"): 5,
        Account("no-shop", "shop"): 0,
        new("rider", "courier", badge=42): 6,
        new("other-rider", "courier", badge=4): 6,
        Account("no-badge", "courier"): 0,
        new("boss", "admin"): 30,
        Anonymous(): 0,
        Anonymous(open=True): 30,
    }
    for identity, count in wanted.items():
        condition, values = identity.narrowed("o")
        found = {row[0] for row in book.store.query(f"SELECT o.id FROM orders o WHERE {condition}", values)}
        assert found == {id for id, one in parcels.items() if identity.sees(one)}, identity
        assert len(found) == count, identity
        assert count == 30 or identity.limited, identity


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("account_name", {"name": ""}),
        ("account_name", {"name": "an na"}),
        ("account_name", {"name": "-anna"}),
        ("account_name", {"name": "anna\x00"}),
        ("account_name", {"name": "an\u202ena"}),
        ("account_name", {"name": "an\ud800na"}),
        ("account_name", {"name": "a" * 65}),
        ("account_role", {"role": "owner"}),
        ("account_role", {"role": "anybody"}),
        ("account_unfit", {"role": "shop"}),
        ("account_unfit", {"role": "clerk", "shop": "Север"}),
        ("account_unfit", {"role": "shop", "shop": "Се\nвер"}),
        ("account_unfit", {"role": "courier"}),
        ("account_unfit", {"role": "courier", "badge": 0}),
        ("account_unfit", {"role": "courier", "badge": 1 << 32}),
        ("account_unfit", {"role": "courier", "badge": 42, "places": [17]}),
        ("account_unfit", {"role": "admin", "places": [17]}),
        ("account_unfit", {"role": "dock", "places": [17]}),
        ("account_unfit", {"role": "clerk", "places": [-1]}),
        ("account_unfit", {"role": "clerk", "places": [1 << 32]}),
    ],
)
def test_an_account_says_what_its_role_needs_and_nothing_else(code: str, given: dict[str, object]) -> None:
    with refused(code):
        new(**{"name": "anna", "role": "clerk", **given})  # type: ignore[arg-type]


def test_names_that_look_alike_are_one(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    with_token(accounts, "Анна")
    for name in ("АННА", "анна"):
        with refused("account_taken"):
            with_token(accounts, name)
    with_token(accounts, "anna")
    with refused("account_taken"):
        with_token(accounts, "\uff21nna")
    accounts.register.revoke("АННА")
    with refused("account_taken"):
        with_token(accounts, "Анна")
    with refused("account_unknown"):
        accounts.register.issue("Анна")


def test_the_desk_is_open_until_its_first_account_and_never_again(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    for method in ("GET", "POST"):
        assert asked(accounts, method=method) == Anonymous(open=True)
    token = with_token(accounts, role="admin")
    assert asked(accounts) == Anonymous()
    assert asked(accounts, token) == Account("anna", "admin")
    accounts.register.revoke("anna")
    assert not accounts.open
    assert asked(accounts) == Anonymous()
    with refused("desk_token_unknown"):
        asked(accounts, token)


def test_what_is_asked_of_whom(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    token = with_token(accounts, places=[17])
    clerk = asked(accounts, token)
    assert accounts.required(clerk, "orders.read") is clerk
    assert (clerk.name, str(clerk), clerk.peer) == ("anna", "anna", PEER)
    with refused("desk_right"):
        accounts.required(clerk, "orders.import")
    nobody = asked(accounts)
    with refused("desk_login_needed"):
        accounts.required(nobody, "orders.read")
    assert accounts.required(nobody, "events.write") is nobody


def test_a_token_ends_by_its_date_or_by_a_word(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    lasting = with_token(accounts)
    ending = accounts.register.issue("anna", days=2)
    assert lasting != ending
    clock.now += 2 * DAY - 1
    assert accounts.register.bearer(ending) == accounts.register.bearer(lasting) == Account("anna", "clerk")
    clock.now += 1
    assert accounts.register.bearer(ending) is None
    assert accounts.register.bearer(lasting) is not None
    accounts.register.revoke_tokens("anna")
    assert accounts.register.bearer(lasting) is None
    assert accounts.register.bearer(accounts.register.issue("anna")) is not None
    for days in (0, -1, 3651):
        with refused("token_days"):
            accounts.register.issue("anna", days)


def test_of_an_account_that_is_revoked_nothing_is_left_and_of_others_all(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    for name in ("anna", "boris"):
        with_password(accounts, name)
        logged_in(accounts, name)
    accounts.register.issue("boris", days=1)

    def listed() -> list[tuple[str, bool, int, int | None]]:
        found = accounts.register.listed()
        return [(entry.account.name, entry.password, entry.tokens, entry.revoked) for entry in found]

    assert listed() == [("anna", True, 1, None), ("boris", True, 2, None)]
    accounts.register.revoke("anna")
    revoked = clock.now
    assert listed() == [("anna", False, 0, revoked), ("boris", True, 2, None)]
    assert book.store.count("FROM account_sessions") == 1
    clock.now += DAY
    assert listed() == [("anna", False, 0, revoked), ("boris", True, 1, None)], "one has ended"
    with_token(accounts, "vera")
    accounts.register.revoke_tokens("boris")
    assert [tokens for _, _, tokens, _ in listed()] == [0, 0, 1]


def test_the_day_of_the_last_use_is_kept_and_no_more(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    token = with_token(accounts)
    clock.now += DAY - clock.now % DAY
    first = clock.now
    (entry,) = accounts.register.listed()
    assert (entry.used, entry.tokens, entry.password, entry.revoked) == (None, 1, False, None)
    clock.now += 12345
    accounts.register.bearer(token)
    assert accounts.register.listed()[0].used == first
    clock.now += DAY
    accounts.register.bearer(token)
    assert accounts.register.listed()[0].used == first + DAY


def test_what_is_no_token_opens_nothing(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    with_password(accounts)
    session, token = logged_in(accounts).token, with_token(accounts, "dock-1", "dock")
    for shown in (
        "",
        "Bearer",
        "Bearer ",
        "Basic {}",
        "{}",
        "Bearer {}x",
        "Bearer {} x",
        "Bearer \ud800",
        "Bearer pls_",
    ):
        headers = {"host": HERE, "authorization": shown.format(token)}
        with refused("desk_token_unknown"):
            accounts.identify(headers, {"plomba-session": session}, "GET", PEER)
    for shown in ("Bearer {}", "bearer  {} "):
        found = accounts.identify({"host": HERE, "authorization": shown.format(token)}, {}, "GET", PEER)
        assert found == Account("dock-1", "dock")


def test_a_session_is_no_token_and_a_token_no_session(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    with_password(accounts)
    session, token = logged_in(accounts).token, accounts.register.issue("anna")
    assert accounts.register.bearer(session) is None
    assert accounts.sessions.living(token) is None


def test_no_secret_is_in_the_store(tmp_path: Path, clock: Clock) -> None:
    store = Store(tmp_path)
    accounts = accounts_in(store, clock)
    with_password(accounts, "marked-name")
    token = accounts.register.issue("marked-name", days=1)
    session = logged_in(accounts, "marked-name")
    assert asked(accounts, token) and asked(accounts, session.token, "POST", {"x-csrf-token": session.csrf})
    with refused("desk_login_wrong"):
        accounts.logins.login("typed-into-the-name", "typed-into-the-password", "198.51.100.1")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    files += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"marked-name" in files and b"scrypt$16$1$1$" in files
    for secret in (token, session.token, session.csrf):
        for form in (secret, secret[4:], secret[-20:]):
            assert form.encode() not in files
    for secret in ("correct horse battery", "typed-into-the"):
        assert secret.encode() not in files


def test_the_audit_is_only_added_to(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    accounts.audit.wrote("anna", PEER, "orders.import", "A-1", request="key-1")
    clock.now += 5
    accounts.audit.wrote("", "", "events.write", outcome="desk_body_large")
    for sql in ("UPDATE audit SET account = ''", "DELETE FROM audit"):
        with pytest.raises(StoreError, match="append-only"):
            book.store.write(sql)
    first, second = accounts.audit.listed()
    assert dataclasses.astuple(first)[1:] == (
        clock.now - 5,
        "anna",
        PEER,
        "orders.import",
        "A-1",
        "done",
        "key-1",
    )
    assert (second.at, second.account, second.outcome) == (clock.now, "", "desk_body_large")
    assert accounts.audit.listed(after=first.number) == [second]
    assert accounts.audit.listed(limit=1) == [first]
    assert accounts.audit.listed(after=second.number) == accounts.audit.listed(limit=-1) == []


def test_the_audit_takes_any_text_as_data(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    hostile = ["'); DROP TABLE audit; --", "a\x00b", "\ud800", "\x1b[2J\u202e", "=1+1", "<script>", "x" * 5000]
    for text in hostile:
        accounts.audit.wrote(text, text, text, text, text, text)
    found = accounts.audit.listed()
    assert [entry.subject for entry in found] == [
        "'); DROP TABLE audit; --",
        "a�b",
        "�",
        "�[2J�",
        "=1+1",
        "<script>",
        "x" * TEXT_MAX,
    ]
    assert all(len({entry.account, entry.peer, entry.operation, entry.subject, entry.request}) == 1 for entry in found)


def test_a_page_of_the_audit_has_its_bounds(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    with book.store.transaction():
        for number in range(LISTED_MAX + 5):
            accounts.audit.wrote("", "", "x", str(number))
    seen, after = [], 0
    while page := accounts.audit.listed(after, 10**9):
        assert len(page) <= LISTED_MAX
        seen += [entry.subject for entry in page]
        after = page[-1].number
    assert seen == [str(number) for number in range(LISTED_MAX + 5)]


def test_what_is_done_and_its_row_are_there_together(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    with pytest.raises(ZeroDivisionError), book.store.transaction():
        with_token(accounts)
        accounts.audit.wrote("", "", "account.add", "anna")
        raise ZeroDivisionError
    assert accounts.open and accounts.audit.listed() == []
