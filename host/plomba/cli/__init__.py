"""The `plomba` command. Each command imports what it needs when it runs, so that `plomba --help` stays quick."""

from __future__ import annotations

import sys
from typing import NoReturn

from cyclopts import App

from plomba import __version__
from plomba.errors import PlombaError

app = App(name="plomba", version=__version__, help="Handheld scanning with evidence.")

org = App(name="org", help="The organisation's keys.")
dock = App(name="dock", help="Pull records from a terminal, keep and forward them.")
desk = App(name="desk", help="The order desk.")
account = App(name="account", help="Who may do what at the order desk.")
seals = App(name="seals", help="Seals of our own: numbered, signed, printed.")
image = App(name="image", help="The terminal's firmware.")
rules = App(name="rules", help="Rule packs: what a terminal asks for, and since when.")
staff = App(name="staff", help="Who may do what on a terminal.")
override = App(name="override", help="What a remote owner allows.")
cards = App(name="cards", help="Printed command cards.")
bench = App(name="bench", help="Figures of the system, each with its limit.")
for parent, name, target, about in (
    (app, "demo", "demo:demo", "A pick-up point in a minute: scans, records, docking, desk, evidence."),
    (app, "verify", "verify:verify", "Prove an evidence pack offline."),
    (app, "evidence", "evidence:evidence", "Make the evidence pack of one order."),
    (app, "enroll", "enroll:enroll", "Make a terminal one of the organisation's."),
    (app, "ports", "ports:ports", "List the serial ports of this machine."),
    (app, "dissect", "dissect:dissect", "Take a capture apart: frames, fields, what went wrong, signatures."),
    (org, "init", "org:init", "Make root, dock and desk keys; --solo guides a point with one PC."),
    (org, "status", "org:status", "Who holds which key, until when."),
    (org, "issue", "org:issue", "Make or renew a working key, or certify one made elsewhere."),
    (org, "revoke", "org:revoke", "Put a key on the revocation list, or renew the list."),
    (org, "approve", "enroll:approve", "Certify a terminal from its request: the second person's part."),
    (org, "rotate", "org:rotate", "Hand over to a new root."),
    (org, "export", "org:export", "Write the public files for verifiers and docks."),
    (org, "recover", "org:recover", "Make the root's file again from its recovery sheet."),
    (dock, "sync", "dock:sync", "Dock the terminal on a port once."),
    (dock, "forward", "dock:forward", "Forward what waits in the outbox."),
    (dock, "forks", "dock:forks", "List copied terminals and take their proofs out."),
    (dock, "damage", "dock:damage", "List damaged pages of terminals' journals and take them out."),
    (dock, "release", "dock:release", "Let a terminal out of quarantine."),
    (seals, "issue", "seals:issue", "Make the next numbered, signed seals."),
    (seals, "print", "seals:print_", "Make printable sheets of a batch."),
    (seals, "void", "seals:void", "Put seals on the void list."),
    (seals, "list", "seals:list_", "Which numbers were issued, how many are void."),
    (seals, "sign", "seals:sign", "Write the signed list for terminals into a file."),
    (image, "build", "image:build", "Compile the firmware into an image."),
    (image, "sign", "image:sign", "Sign an image with the release key."),
    (desk, "serve", "desk:serve", "Run the order desk."),
    (desk, "import", "desk:import_", "Import an order file."),
    (desk, "backup", "desk:backup", "Write the order book into one file."),
    (desk, "restore", "desk:restore", "Put a backup into an empty order book."),
    (desk, "lifecycle", "desk:lifecycle", "Print the lifecycle of an order, or draw it."),
    (desk, "calendar", "desk:calendar", "Check opening hours and print the next ones."),
    (desk, "openapi", "desk:openapi", "Write the description of the API."),
    (account, "add", "account:add", "Make an account and print its token."),
    (account, "token", "account:token", "Print a further token."),
    (account, "list", "account:list_", "List the accounts."),
    (account, "revoke", "account:revoke", "End an account."),
    (account, "password", "account:password", "Give an account a password for the browser."),
    (rules, "check", "rules:check", "Say what is wrong with a rule pack, with its line."),
    (rules, "diff", "rules:diff", "Say in words what one pack changes of another."),
    (rules, "sign", "rules:sign", "Sign a rule pack with the desk's key."),
    (rules, "replay", "replay:replay", "Play a trace on the firmware under one or several packs."),
    (staff, "check", "staff:check", "Check a staff list."),
    (staff, "sign", "staff:sign", "Sign a staff list with the desk's key."),
    (staff, "pin", "staff:pin", "Ask for a PIN and print what proves it."),
    (override, "answer", "override:answer", "Answer the challenge on a terminal's screen."),
    (override, "audit", "override:audit", "List overrides that nobody answered."),
    (cards, "print", "cards:print_", "Write a page of command cards to print."),
    (bench, "link", "bench:link", "Measure the link on real runs."),
    (bench, "ingest", "bench:ingest", "Measure the way from frames to committed rows."),
    (bench, "terminal", "bench:terminal", "Measure a terminal with a long list of orders."),
    (bench, "desk", "bench:desk", "Measure the order book on a day of an organisation."),
):
    parent.command(f"plomba.cli.{target}", name=name, help=about)
desk.command(account)
for group in (org, dock, desk, rules, seals, image, staff, override, cards, bench):
    app.command(group)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and exits.

    Status: 0 ok, 1 failed, 2 usage, 3 terminal, 4 verification, 5 queued but not forwarded, 130 interrupted.
    """
    try:
        result = app(arguments, exit_on_error=True, result_action="return_value")
    except PlombaError as error:
        complain(error)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(result if isinstance(result, int) else 0)


def complain(error: PlombaError) -> None:
    """The thing, the reason, the next step and the stable code, on stderr."""
    print(f"plomba: {error.what()}  [{error.code}]\n  → {error.next_step()}", file=sys.stderr)
