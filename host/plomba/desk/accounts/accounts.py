"""Who may do what at the desk: everybody everything until there is an account, then those who show who they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plomba.desk.accounts import tokens
from plomba.desk.accounts.account import Account, Anonymous, Identity
from plomba.desk.accounts.audit import Audit
from plomba.desk.accounts.cookies import cookie_name, same_place
from plomba.desk.accounts.logins import Logins
from plomba.desk.accounts.passwords import Passwords
from plomba.desk.accounts.register import Register
from plomba.desk.accounts.sessions import Sessions
from plomba.desk.store import Store
from plomba.errors import UsageError

SAFE = ("GET", "HEAD", "OPTIONS")
CSRF_HEADER = "x-csrf-token"


class Accounts:
    """Belongs to the store's thread."""

    def __init__(self, store: Store, clock: Callable[[], int], passwords: Passwords | None = None) -> None:
        """`clock` gives s since 1970."""
        self.register = Register(store, clock)
        self.sessions = Sessions(store, clock)
        self.audit = Audit(store, clock)
        self.logins = Logins(store, clock, self.register, self.sessions, self.audit, passwords or Passwords())

    @property
    def open(self) -> bool:
        """Whether everybody may do everything: there is no account yet."""
        return not self.register.any()

    def identify(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], method: str, peer: str, note: bool = True
    ) -> Identity:
        """Who asks. A token in `authorization` counts before a cookie. `headers` are found by lower-case names, `peer`
        is the address of the other end. Without `note` the session does not live longer by it.

        Raises UsageError `desk_token_unknown` for a token that counts no more or never did; and for what a browser was
        made to send by a page that is not the desk's, `desk_foreign_site`, `desk_csrf`.
        """
        if self.open:
            if method not in SAFE:
                ours(headers)
            return Anonymous(open=True, peer=peer)
        shown = headers.get("authorization")
        if shown is not None:
            scheme, _, token = shown.partition(" ")
            account = self.register.bearer(token.strip(), peer, note) if scheme.lower() == "bearer" else None
            if account is None:
                raise UsageError("desk_token_unknown")
            return account
        token = self.cookie(headers, cookies)
        hash = self.sessions.living(token, note)
        account = self.register.session(hash, peer) if hash is not None else None
        if account is None:
            return Anonymous(peer=peer)
        if method not in SAFE:
            ours(headers)
            if not tokens.same(headers.get(CSRF_HEADER, ""), tokens.csrf(token)):
                raise UsageError("desk_csrf")
        return account

    def still(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], identity: Identity, right: str
    ) -> Identity | None:
        """Who asks, of a request that was let in as `identity` and is still being answered; None when it would be
        refused if it came again. Notes no use."""
        try:
            found = self.required(self.identify(headers, cookies, "GET", identity.peer, note=False), right)
        except UsageError:
            return None
        return found if found.name == identity.name else None

    def cookie(self, headers: Mapping[str, str], found: Mapping[str, str]) -> str:
        """What the session's cookie holds, "" for none."""
        return found.get(cookie_name(headers.get("host", "")), "")

    def required(self, identity: Identity, right: str) -> Identity:
        """The same, if it has the right. Raises UsageError `desk_login_needed` for nobody, else `desk_right`."""
        if identity.may(right):
            return identity
        if isinstance(identity, Account):
            raise UsageError("desk_right", name=identity.name, role=identity.role, right=right)
        raise UsageError("desk_login_needed")


def ours(headers: Mapping[str, str]) -> None:
    """Raises UsageError `desk_foreign_site` for what a browser says another site's page has sent: Fetch Metadata (of
    HTTPS and loopback), and Origin. A program sends neither."""
    site = headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        raise UsageError("desk_foreign_site", site=site)
    origin = headers.get("origin")
    if origin is not None and not same_place(origin, headers.get("host", "")):
        raise UsageError("desk_foreign_site", site=origin)
