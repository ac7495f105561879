"""Logging in: what a guess costs, what a session is, and what ends it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from account_scene import HERE, PASSWORD, PEER, accounts_in, asked, logged_in, refused, with_password, with_token
from book_scene import Clock

from plomba.desk.accounts import Account, Accounts, Anonymous, attempts, passwords
from plomba.desk.accounts.attempts import (
    FIRST_WAIT,
    LONGEST_WAIT,
    OF_NAME,
    OF_PEER,
    Attempts,
    Wait,
    of_name,
    of_peer,
    wait,
)
from plomba.desk.accounts.cookies import cookie_name, same_place, set_cookie
from plomba.desk.accounts.passwords import Cost, Passwords
from plomba.desk.accounts.sessions import IDLE, KEPT, LIFE
from plomba.desk.book import Book
from plomba.desk.store import Store
from plomba.errors import PlombaError


@pytest.fixture
def accounts(book: Book, clock: Clock) -> Accounts:
    found = accounts_in(book.store, clock)
    with_password(found)
    return found


def fail(accounts: Accounts, name: str = "anna", peer: str = PEER) -> str:
    """The code of the refusal."""
    with pytest.raises(PlombaError) as caught:
        accounts.logins.login(name, "not the password", peer)
    return caught.value.code


def test_a_password_fits_itself_at_its_own_cost() -> None:
    made = Passwords().made(PASSWORD)
    assert made.startswith("scrypt$32768$8$3$")
    cheaper = Passwords(Cost(n=16, r=1, p=1))
    assert cheaper.fits(PASSWORD, made), "the cost stands with the hash"
    assert not cheaper.fits(PASSWORD + "!", made)
    assert cheaper.made(PASSWORD) != cheaper.made(PASSWORD)


def test_a_keyboard_that_composes_otherwise_types_the_same_password() -> None:
    cheap = Passwords(Cost(n=16, r=1, p=1))
    typed = "йод и ёжик вместе"
    made = cheap.made(unicodedata.normalize("NFD", typed))
    assert cheap.fits(unicodedata.normalize("NFC", typed), made)
    assert not cheap.fits("\ud800" * 12, made)


def test_a_password_has_its_bounds() -> None:
    cheap = Passwords(Cost(n=16, r=1, p=1))
    for password, code in (("x" * 9, "password_short"), (" " * 20, "password_short"), ("x" * 257, "password_long")):
        with refused(code):
            cheap.made(password)
    longest = cheap.made("x" * 256)
    assert cheap.fits("x" * 256, longest) and not cheap.fits("x" * 257, longest)


@pytest.mark.parametrize("held", ["x", "scrypt$8388608$8$1$" + "A" * 22 + "$" + "A" * 43, "scrypt$16$1$1$$"])
def test_a_hash_that_is_none_of_ours_is_not_worked_on(held: str) -> None:
    with pytest.raises(ValueError):
        Passwords(Cost(n=16, r=1, p=1)).fits(PASSWORD, held)


def test_a_name_that_is_not_there_costs_what_a_wrong_password_costs(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_token(accounts, "no-password")
    with_password(accounts, "gone")
    accounts.register.revoke("gone")
    real, costs = passwords.stretched, list[Cost]()

    def counted(password: str, salt: bytes, cost: Cost) -> bytes:
        costs.append(cost)
        return real(password, salt, cost)

    monkeypatch.setattr(passwords, "stretched", counted)
    for number, name in enumerate(("anna", "nobody", "no-password", "gone", "", "an\x00na", "\ud800", "x" * 300)):
        assert fail(accounts, name, f"198.51.100.{number}") == "desk_login_wrong", name
        assert costs == [Cost(n=16, r=1, p=1)], name
        costs.clear()
    logged_in(accounts)
    assert len(costs) == 1


def test_the_sixth_try_waits_and_each_further_one_longer(accounts: Accounts, clock: Clock) -> None:
    assert [fail(accounts) for _ in range(6)] == ["desk_login_wrong"] * 5 + ["desk_login_wait"]
    waited = []
    for _ in range(7):
        with pytest.raises(Wait) as caught:
            logged_in(accounts)
        waited.append(caught.value.seconds)
        clock.now += caught.value.seconds - 1
        with pytest.raises(Wait) as caught:
            logged_in(accounts)
        assert caught.value.seconds == 1, "waiting is not made longer by asking"
        clock.now += 1
        assert fail(accounts) == "desk_login_wrong"
    assert waited == [30, 60, 120, 240, 480, 900, 900]
    clock.now += LONGEST_WAIT
    logged_in(accounts)
    assert fail(accounts) == "desk_login_wrong"
    logged_in(accounts)


def test_a_name_that_is_not_there_waits_as_well(accounts: Accounts) -> None:
    assert [fail(accounts, "nobody") for _ in range(6)] == ["desk_login_wrong"] * 5 + ["desk_login_wait"]
    assert fail(accounts, "NOBODY") == "desk_login_wait"
    assert fail(accounts, "somebody") == "desk_login_wrong"


def test_a_restart_does_not_forget(tmp_path: Path, clock: Clock) -> None:
    store = Store(tmp_path)
    with_password(accounts_in(store, clock))
    for _ in range(5):
        assert fail(accounts_in(store, clock)) == "desk_login_wrong"
        store.close()
        store = Store(tmp_path)
    with pytest.raises(Wait):
        logged_in(accounts_in(store, clock))
    clock.now += FIRST_WAIT
    session = logged_in(accounts_in(store, clock)).token
    store.close()
    store = Store(tmp_path)
    assert asked(accounts_in(store, clock), session) == Account("anna", "clerk")
    store.close()


def test_an_address_waits_whatever_names_it_tries(accounts: Accounts, clock: Clock) -> None:
    for number in range(OF_PEER.tries):
        assert fail(accounts, f"name-{number}") == "desk_login_wrong"
    assert fail(accounts, "another") == "desk_login_wait"
    assert fail(accounts, "another", "198.51.100.1") == "desk_login_wrong"
    clock.now += OF_PEER.forgotten
    assert fail(accounts, "another") == "desk_login_wrong"


def test_who_has_an_account_gets_no_more_tries_at_others(accounts: Accounts, clock: Clock) -> None:
    tried = 0
    while fail(accounts, f"other-{tried}") == "desk_login_wrong":
        tried += 1
        if tried < OF_PEER.tries:
            logged_in(accounts)
    assert tried == OF_PEER.tries


def test_right_logins_do_not_keep_old_failures_of_an_address(accounts: Accounts, clock: Clock) -> None:
    """As behind a proxy, where all browsers have one address and somebody logs in every hour."""
    for number in range(OF_PEER.tries - 1):
        assert fail(accounts, f"name-{number}") == "desk_login_wrong"
    clock.now += OF_PEER.forgotten - 1
    logged_in(accounts)
    clock.now += 1
    assert [fail(accounts, name) for name in ("one", "another")] == ["desk_login_wrong"] * 2


def test_a_right_login_forgets_no_failure_that_came_while_it_was_looked_at(accounts: Accounts, clock: Clock) -> None:
    fail(accounts, "old")
    clock.now += OF_PEER.forgotten - 1
    attempt = accounts.logins.begin("anna", PEER)
    assert fail(accounts, "another") == "desk_login_wrong"
    accounts.logins.finish(attempt, True)
    clock.now += 2
    assert accounts.logins.begin("anna", PEER).counted.failures == 2


def test_tries_at_the_same_time_are_all_counted(accounts: Accounts) -> None:
    """Counted before the password is looked at."""
    for _ in range(OF_NAME.tries):
        accounts.logins.begin("anna", PEER)
    with pytest.raises(Wait):
        accounts.logins.begin("anna", PEER)


def test_failures_of_another_day_are_forgotten(accounts: Accounts, clock: Clock) -> None:
    for _ in range(4):
        fail(accounts)
    clock.now += OF_NAME.forgotten
    assert [fail(accounts) for _ in range(5)] == ["desk_login_wrong"] * 5
    assert fail(accounts) == "desk_login_wait"


def test_a_clock_that_goes_back_locks_nobody_out_for_long(accounts: Accounts, clock: Clock) -> None:
    for _ in range(5):
        fail(accounts)
    clock.now -= 365 * 86400
    with pytest.raises(Wait) as caught:
        logged_in(accounts)
    assert caught.value.seconds == FIRST_WAIT
    clock.now += FIRST_WAIT
    logged_in(accounts)


def test_names_by_the_thousand_do_not_push_a_wait_out(
    accounts: Accounts, book: Book, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "KEPT", 50)
    for _ in range(5):
        fail(accounts)
    tries = Attempts(book.store, clock)
    for number in range(200):
        clock.now += 1
        tries.count(f"name-{number}", f"198.51.{number}.1")
        assert book.store.count("FROM login_attempts") <= 50
        if number == 20:
            with pytest.raises(Wait):
                logged_in(accounts)
    held = book.store.query(
        "SELECT failures FROM login_attempts WHERE subject = :subject", {"subject": of_name("anna")}
    )
    assert held == [(5,)]
    clock.now += OF_NAME.forgotten
    tries.count("one more", "203.0.113.1")
    assert book.store.count("FROM login_attempts") <= 3, "what counts no more goes first"


def test_waits_grow_to_their_end() -> None:
    assert [wait(failures, OF_NAME) for failures in (0, 4, 5, 6, 9, 10, 10**6)] == [0, 0, 30, 60, 480, 900, 900]


def test_a_house_is_one_address() -> None:
    assert of_peer("2001:db8:1:2::1") == of_peer("2001:db8:1:2:ffff::9") != of_peer("2001:db8:1:3::1")
    assert of_peer("::ffff:192.0.2.7") == of_peer("192.0.2.7") != of_peer("192.0.2.8")
    assert of_peer("fe80::1%eth0") == of_peer("fe80::2")
    assert of_peer("") != of_peer("x")


def test_a_session_is_always_a_new_one(accounts: Accounts) -> None:
    """What somebody put into the browser's cookie before is never taken over, and ends."""
    planted = logged_in(accounts).token
    for old in (planted, "pls_" + "A" * 43, "x", ""):
        opened = logged_in(accounts, old=old)
        assert opened.token != old
        if old:
            assert asked(accounts, old) == Anonymous()
        assert asked(accounts, opened.token) == Account("anna", "clerk")


def test_a_session_ends_after_twelve_hours(accounts: Accounts, clock: Clock) -> None:
    opened = logged_in(accounts)
    start = clock.now
    assert opened.ends == start + LIFE == start + 12 * 3600
    while clock.now < start + LIFE - 1:
        assert asked(accounts, opened.token) == Account("anna", "clerk")
        clock.now = min(clock.now + IDLE - 1, start + LIFE - 1)
    assert asked(accounts, opened.token) == Account("anna", "clerk")
    clock.now = start + LIFE
    assert asked(accounts, opened.token) == Anonymous()


def test_a_session_ends_after_an_idle_hour(accounts: Accounts, clock: Clock) -> None:
    used, idle = logged_in(accounts).token, logged_in(accounts).token
    clock.now += IDLE - 1
    assert asked(accounts, used) == Account("anna", "clerk")
    clock.now += 1
    assert asked(accounts, idle) == Anonymous()
    assert asked(accounts, used) == Account("anna", "clerk")


def test_a_session_does_not_live_longer_by_a_clock_that_goes_back(accounts: Accounts, clock: Clock) -> None:
    session = logged_in(accounts).token
    clock.now -= 200
    assert asked(accounts, session) == Account("anna", "clerk")
    clock.now -= 86400
    assert asked(accounts, session) == Anonymous()


def test_an_account_has_so_many_sessions(accounts: Accounts, book: Book, clock: Clock) -> None:
    opened = []
    for _ in range(KEPT + 3):
        clock.now += 1
        opened.append(logged_in(accounts).token)
    alive = [asked(accounts, token) != Anonymous() for token in opened]
    assert alive == [False] * 3 + [True] * KEPT
    clock.now += LIFE
    logged_in(accounts)
    assert book.store.count("FROM account_sessions") == 1


def test_a_page_has_to_say_its_word(accounts: Accounts) -> None:
    opened, other = logged_in(accounts), logged_in(accounts)
    good = {"x-csrf-token": opened.csrf}
    for method in ("GET", "HEAD", "OPTIONS"):
        assert asked(accounts, opened.token, method) == Account("anna", "clerk")
    for method in ("POST", "PUT", "PATCH", "DELETE", "WHATEVER"):
        assert asked(accounts, opened.token, method, good) == Account("anna", "clerk")
        for word in ("", other.csrf, opened.csrf[:-1], opened.csrf + "A", opened.token, "\ud800"):
            with refused("desk_csrf"):
                asked(accounts, opened.token, method, {"x-csrf-token": word})
        with refused("desk_csrf"):
            asked(accounts, opened.token, method)


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8081"},
    {"origin": "http://127.0.0.1.evil.example:8080"},
    {"origin": "http://127.0.0.1:8080@evil.example"},
    {"origin": "file://127.0.0.1:8080"},
    {"origin": ""},
    {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
]
OWN = [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://127.0.0.1:8080"}]


def test_another_sites_page_sends_nothing_with_a_session(accounts: Accounts) -> None:
    opened, token = logged_in(accounts), accounts.register.issue("anna")
    for headers in FOREIGN:
        with refused("desk_foreign_site"):
            asked(accounts, opened.token, "POST", {"x-csrf-token": opened.csrf, **headers})
        assert asked(accounts, opened.token, "GET", headers) == Account("anna", "clerk")
        assert asked(accounts, token, "POST", headers) == Account("anna", "clerk"), "no browser adds a token by itself"
    for headers in OWN:
        sent = {"x-csrf-token": opened.csrf, **headers}
        assert asked(accounts, opened.token, "POST", sent) == Account("anna", "clerk")


def test_another_sites_page_sends_nothing_to_an_open_desk(book: Book, clock: Clock) -> None:
    accounts = accounts_in(book.store, clock)
    for headers in FOREIGN:
        with refused("desk_foreign_site"):
            asked(accounts, "", "POST", headers)
        assert asked(accounts, "", "GET", headers) == Anonymous(open=True)
    for headers in OWN:
        assert asked(accounts, "", "POST", headers) == Anonymous(open=True)


def test_an_origin_is_compared_as_a_place() -> None:
    for origin, host in (
        ("https://desk.example", "desk.example"),
        ("https://desk.example", "DESK.example:443"),
        ("http://desk.example", "desk.example:80"),
        ("http://[::1]:8080", "[::1]:8080"),
    ):
        assert same_place(origin, host)
    for origin, host in (
        ("https://desk.example", "desk.example:80"),
        ("http://desk.example:x", "desk.example:x"),
        ("http://", ""),
        ("http://[::1", "[::1"),
    ):
        assert not same_place(origin, host)


def test_a_cookie_is_for_the_desk_alone() -> None:
    here = set_cookie(HERE, "pls_x")
    assert here == f"plomba-session=pls_x; Path=/; Max-Age={LIFE}; HttpOnly; SameSite=Strict"
    for host in ("localhost", "localhost:80", "[::1]:8080", "127.0.0.2"):
        assert cookie_name(host) == "plomba-session"
    for host in ("desk.example", "192.168.1.5:8080", "localhost.evil.example", "", "[::", "127.0.0.1.evil.example"):
        there = set_cookie(host, "pls_x")
        assert there == f"__Host-plomba-session=pls_x; Path=/; Max-Age={LIFE}; HttpOnly; SameSite=Strict; Secure"
    assert "=; Path=/; Max-Age=0;" in set_cookie(HERE, "")


def test_beyond_loopback_only_the_guarded_cookie_counts(accounts: Accounts) -> None:
    token, headers = logged_in(accounts).token, {"host": "desk.example"}
    assert accounts.identify(headers, {"plomba-session": token}, "GET", PEER) == Anonymous()
    assert accounts.identify(headers, {"__Host-plomba-session": token}, "GET", PEER) == Account("anna", "clerk")


def test_logging_out_ends_this_session(accounts: Accounts) -> None:
    ended, other = logged_in(accounts).token, logged_in(accounts).token
    account = asked(accounts, ended)
    assert isinstance(account, Account)
    accounts.logins.logout(ended, account)
    assert (asked(accounts, ended), asked(accounts, other)) == (Anonymous(), Account("anna", "clerk"))


def test_a_new_password_ends_the_other_sessions(accounts: Accounts) -> None:
    with_password(accounts, "boris")
    kept, ended, others = logged_in(accounts).token, logged_in(accounts).token, logged_in(accounts, "boris").token
    account, session = asked(accounts, kept), accounts.sessions.living(kept)
    assert isinstance(account, Account) and session is not None
    with refused("desk_login_wrong"):
        accounts.logins.change(account, "not the password", "another password", session)
    for _ in range(9):
        # Looked at first: it is no try at the old one.
        with refused("password_short"):
            accounts.logins.change(account, "not the password", "short", session)
    assert asked(accounts, ended) == account
    accounts.logins.change(account, PASSWORD, "another password", session)
    assert [asked(accounts, token) for token in (kept, ended)] == [account, Anonymous()]
    assert asked(accounts, others) == Account("boris", "clerk")
    assert fail(accounts) == "desk_login_wrong"
    accounts.logins.login("anna", "another password", PEER)


def test_a_stolen_session_gets_no_more_tries_at_the_password(accounts: Accounts) -> None:
    token = logged_in(accounts).token
    account, session = asked(accounts, token), accounts.sessions.living(token)
    assert isinstance(account, Account) and session is not None
    for _ in range(5):
        with refused("desk_login_wrong"):
            accounts.logins.change(account, "not the password", "another password", session)
    with pytest.raises(Wait):
        accounts.logins.change(account, PASSWORD, "another password", session)


def test_an_account_that_is_revoked_is_out_at_once(accounts: Accounts, book: Book) -> None:
    session, token = logged_in(accounts).token, accounts.register.issue("anna")
    accounts.register.revoke("anna")
    assert [book.store.count(f"FROM account_{table}") for table in ("sessions", "tokens")] == [0, 0]
    assert asked(accounts, session) == Anonymous()
    with refused("desk_token_unknown"):
        asked(accounts, token)
    assert fail(accounts) == "desk_login_wrong"


@pytest.mark.parametrize("how", ["revoked", "other password"])
def test_what_changes_while_a_password_is_looked_at_counts(accounts: Accounts, how: str) -> None:
    attempt = accounts.logins.begin("anna", PEER)
    assert accounts.logins.passwords.fits(PASSWORD, attempt.held)
    if how == "revoked":
        accounts.register.revoke("anna")
    else:
        accounts.register.set_password("anna", accounts.logins.passwords.made("another password"))
    with refused("desk_login_wrong"):
        accounts.logins.finish(attempt, True)


def test_a_login_that_was_not_right_is_none_whatever_the_caller_says(accounts: Accounts) -> None:
    with refused("desk_login_wrong"):
        accounts.logins.finish(accounts.logins.begin("nobody", PEER), True)


def test_the_audit_names_accounts_and_nothing_that_was_typed(accounts: Accounts) -> None:
    fail(accounts)
    fail(accounts, "a password in the wrong field")
    token = logged_in(accounts).token
    account, session = asked(accounts, token), accounts.sessions.living(token)
    assert isinstance(account, Account) and session is not None
    accounts.logins.change(account, PASSWORD, "another password", session)
    accounts.logins.logout(token, account)
    rows = [
        (entry.account, entry.peer, entry.operation, entry.subject, entry.outcome) for entry in accounts.audit.listed()
    ]
    assert rows == [
        ("anna", PEER, "session.open", "", "desk_login_wrong"),
        ("", PEER, "session.open", "", "desk_login_wrong"),
        ("anna", PEER, "session.open", "", "done"),
        ("anna", PEER, "password.change", "anna", "done"),
        ("anna", PEER, "session.end", "", "done"),
    ]
