"""What only TCP does: addresses, names, refusals, resets, a far end that stops taking bytes."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from plomba.errors import PlombaError, TerminalError, UsageError
from plomba.transport import SerialTransport, TcpTransport, open_transport


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def why_not(url: str) -> PlombaError:
    with pytest.raises(TerminalError) as caught:
        await open_transport(url).open()
    return caught.value


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_port_nobody_listens_on(host: str) -> None:
    """Without IPv6 there is no such address to refuse."""
    error = asyncio.run(why_not(f"socket://{host}:{refused_port()}"))
    assert error.code == "port_missing" or (host == "[::1]" and error.code == "port_failed")


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name has an IPv6 and an IPv4 address of this machine, as localhost has on many."""
    families = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))

    def both(host: str, port: int, *arguments: object, **options: object) -> object:
        literal = [family for family, address in families if address == host]
        return [
            (family, socket.SOCK_STREAM, 0, "", (address, port))
            for family, address in families
            if not literal or family in literal
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)


@pytest.mark.usefixtures("two_addresses")
def test_a_name_of_which_one_address_listens() -> None:
    async def scenario() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.write(b"hello"), "127.0.0.1", 0)
        transport = open_transport(f"socket://dock.example:{server.sockets[0].getsockname()[1]}")
        await transport.open()
        assert await transport.read() == b"hello"
        await transport.close()
        server.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("two_addresses")
def test_a_name_of_which_no_address_listens() -> None:
    assert asyncio.run(why_not(f"socket://dock.example:{refused_port()}")).code == "port_missing"


def test_a_refusal_counts_more_than_an_address_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without IPv6, for a name with both."""
    addresses = ("255.255.255.255", "127.0.0.1")

    def both(host: str, port: int, *arguments: object, **options: object) -> object:
        found = [host] if host in addresses else addresses
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert asyncio.run(why_not(f"socket://dock.example:{refused_port()}")).code == "port_missing"


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(why_not(f"socket://{'x' * 64}.example:7001")).code == "host_unknown"

    def nobody(*arguments: object, **options: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    error = asyncio.run(why_not("socket://dock.example:7001"))
    assert error.code == "host_unknown" and "dock.example" in error.what("en")


@pytest.mark.parametrize(
    "url",
    [
        "socket://",
        "socket://7001",
        "socket://host",
        "socket://host:",
        "socket://host:0",
        "socket://host:65536",
        "socket://host:x",
        "socket://:7001",
        "socket://host:1/path",
        "socket://host:1?logging=debug",
        "socket://[::1",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_transport(url)
    assert (caught.value.code, caught.value.exit_status) == ("port_address", 2)


def test_the_scheme_decides_the_transport() -> None:
    assert isinstance(open_transport("SOCKET://host:1"), TcpTransport)
    for port in ("/dev/ttyACM0", "COM3", "usb:E66", "rfc2217://host:1"):
        assert isinstance(open_transport(port), SerialTransport)


def test_a_scheme_nobody_knows() -> None:
    error = asyncio.run(why_not("carrier-pigeon://loft"))
    assert error.code == "port_failed" and "carrier-pigeon" in error.what("en")


def test_a_reset_connection_is_lost_at_once_and_what_had_come_is_read_first() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = open_transport(f"socket://127.0.0.1:{listener.getsockname()[1]}")
            await transport.open()
            far, _ = listener.accept()
            far.send(b"1234")
            assert await transport.read() == b"1234"
            reading = asyncio.create_task(transport.read())
            await asyncio.sleep(0)
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            far.close()
            with pytest.raises(TerminalError) as caught:
                await asyncio.wait_for(reading, 5)
            assert caught.value.code == "link_lost" and "reset" in str(caught.value.fields["reason"]).lower()
            await transport.close()

    asyncio.run(scenario())


def test_a_far_end_that_takes_nothing_is_given_up() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
            transport = TcpTransport(url, write_patience=0.05)
            await transport.open()
            with pytest.raises(TerminalError) as caught:
                await transport.write(bytes(1 << 24))
            assert caught.value.code == "link_lost" and "took nothing" in str(caught.value.fields["reason"])
            with pytest.raises(TerminalError):
                await transport.read()
            await transport.close()

    asyncio.run(scenario())


def test_a_far_end_that_says_goodbye_and_reads_no_more() -> None:
    """The end is told at once, though bytes still wait to go out."""

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = open_transport(f"socket://127.0.0.1:{listener.getsockname()[1]}")
            await transport.open()
            far, _ = listener.accept()
            writing = asyncio.create_task(transport.write(bytes(1 << 24)))
            reading = asyncio.create_task(transport.read())
            await asyncio.to_thread(far.recv, 1)
            far.shutdown(socket.SHUT_WR)
            for task in (reading, writing):
                with pytest.raises(TerminalError) as caught:
                    await asyncio.wait_for(task, 4)
                assert caught.value.code == "link_lost"
            await transport.close()
            far.close()

    asyncio.run(scenario())


def test_a_closed_connection_is_not_kept_for_what_cannot_go_out() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = TcpTransport(f"socket://127.0.0.1:{listener.getsockname()[1]}")
            await transport.open()
            far, _ = listener.accept()
            writing = asyncio.create_task(transport.write(bytes(1 << 24)))
            await asyncio.to_thread(far.recv, 1)
            await transport.close()
            await asyncio.gather(writing, return_exceptions=True)
            assert transport._stream.gone.is_set()
            far.close()

    asyncio.run(scenario())


def test_closed_while_it_connects() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = open_transport(f"socket://127.0.0.1:{listener.getsockname()[1]}")
            opening = asyncio.create_task(transport.open())
            await asyncio.sleep(0)
            await transport.close()
            with pytest.raises(TerminalError) as caught:
                await opening
            assert caught.value.code == "link_lost"
            far, _ = listener.accept()
            far.settimeout(5)
            try:
                left = far.recv(1)
            except ConnectionResetError:
                left = b""
            assert left == b"", "the connection is not kept"

    asyncio.run(scenario())
