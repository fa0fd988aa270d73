"""Posting to addresses that others choose: never inside, and never longer than it may take."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from domain.errors import InputError
from domain.network import Address
from runtime.outside import Inside, NotAnswered, Outside, read_url, resolved
from tests.support.gateway import OK, Answer, Gateway, Then, a_gateway, says
from tests.support.mail_server import self_signed
from tests.support.patience import PATIENCE

LOOPBACK = (ip_network("127.0.0.0/8"),)
HEADERS = {"Content-Type": "application/json", "webhook-id": "evt_1"}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with a_gateway() as gateway:
        yield gateway


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with aclosing(Outside(LOOPBACK)) as outside:
        yield outside


def names(*addresses: str) -> Callable[[str, int], list[Address]]:
    return lambda _host, _port: [ip_address(each) for each in addresses]


# Addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("", "crm.example", "//crm.example/x", "ftp://crm.example/", "file:///etc/passwd"),
        *("https://", "https:///x", "https://user:pass@crm.example/", "https://user@crm.example/"),
        *("https://crm.example/#part", "https://crm.example:22/", "https://crm.example:0/"),
        *("http://crm.example:443/", "https://crm.example:99999/", "https://crm.example:x/"),
        *("gopher://crm.example/", "json://crm.example/", f"https://crm.example/{'x' * 2000}"),
        "https://[::1/",
    ],
)
def test_what_nothing_may_be_posted_to_is_no_receivers_address(text: str) -> None:
    with pytest.raises(InputError, match=r"^url: "):
        read_url(text)


@pytest.mark.parametrize(
    "text",
    [
        *("https://crm.example/", "https://crm.example/a?b=c", "https://crm.example:8443/"),
        *(
            "http://10.1.2.3/",
            "http://10.1.2.3:8080/in",
            "https://[fd12::1]:9443/",
            "https://中文.example/",
        ),
    ],
)
def test_a_receivers_address_is_read(text: str) -> None:
    assert read_url(text).host


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "169.254.169.254", "[fd00:ec2::254]"),
        "[64:ff9b::a9fe:a9fe]",
    ],
)
async def test_no_spelling_of_an_address_inside_is_posted_to(host: str) -> None:
    url = f"https://{host}:8443/"
    async with aclosing(Outside()) as outside:
        with pytest.raises((Inside, NotAnswered, InputError)):
            await outside.check(read_url(url))
        with pytest.raises((Inside, NotAnswered)):
            await outside.post(url, HEADERS, b"{}", PATIENCE)


def test_some_of_these_spellings_do_lead_inside() -> None:
    """Or the test above would prove nothing."""
    for host in ("127.1", "2130706433", "0x7f000001", "localhost"):
        assert resolved(host, 443)[0] in {ip_address("127.0.0.1"), ip_address("::1")}


async def test_of_a_name_with_several_addresses_all_must_be_outside() -> None:
    async with aclosing(Outside(resolve=names("8.8.8.8", "10.0.0.1"))) as outside:
        with pytest.raises(Inside, match=r"crm\.example is inside"):
            await outside.check(read_url("https://crm.example/"))


async def test_why_it_is_refused_tells_no_address_of_ours() -> None:
    async with aclosing(Outside(resolve=names("10.11.12.13"))) as outside:
        with pytest.raises(Inside) as refused:
            await outside.check(read_url("https://intranet.example/"))
    assert "10.11" not in str(refused.value)


async def test_a_name_that_leads_elsewhere_since_it_was_checked_is_checked_again(
    gateway: Gateway,
) -> None:
    """DNS rebinding: outside when it is added, inside when it is connected to."""
    leads = [[ip_address("8.8.8.8")], [ip_address("127.0.0.1")]]
    async with aclosing(Outside(resolve=lambda _host, _port: leads.pop(0))) as outside:
        url = f"https://crm.example:{gateway.port}/"
        await outside.check(read_url(url))
        with pytest.raises(Inside):
            await outside.post(url, HEADERS, b"{}", PATIENCE)
    assert gateway.connections == 0


async def test_the_connection_goes_to_the_address_that_was_looked_at(gateway: Gateway) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1")]

    async with aclosing(Outside(LOOPBACK, resolve=resolve)) as outside:
        answer = await outside.post(
            f"http://no.such.name.invalid:{gateway.port}/in?a=b", HEADERS, b'{"a":1}', PATIENCE
        )
    assert answer.taken
    assert asked == ["no.such.name.invalid"], "once for a connection: nobody asks between"
    (heard,) = gateway.heard
    assert (heard.method, heard.target, heard.body) == ("POST", "/in?a=b", '{"a":1}')
    assert heard.headers["host"] == f"no.such.name.invalid:{gateway.port}"
    assert heard.headers["webhook-id"] == "evt_1"


async def test_over_tls_the_name_is_what_counts(tmp_path: Path) -> None:
    certificate = self_signed("127.0.0.1", tmp_path / "certificate.pem")
    trust = ssl.create_default_context(cafile=certificate)
    async with a_gateway(str(certificate)) as gateway:
        for name, taken in (("127.0.0.1", True), ("crm.example", False)):
            made = Outside(LOOPBACK, resolve=names("127.0.0.1"), trust=trust)
            async with aclosing(made) as outside:
                url = f"https://{name}:{gateway.port}/"
                if taken:
                    assert (await outside.post(url, HEADERS, b"{}", PATIENCE)).taken
                else:
                    with pytest.raises(NotAnswered):
                        await outside.post(url, HEADERS, b"{}", PATIENCE)
    assert len(gateway.heard) == 1


async def test_not_encrypted_it_goes_only_where_that_is_allowed() -> None:
    async with aclosing(Outside(LOOPBACK, resolve=names("8.8.8.8"))) as outside:
        with pytest.raises(Inside, match="not encrypted"):
            await outside.check(read_url("http://crm.example/"))


async def test_a_name_that_nobody_knows_is_no_answer(outside: Outside) -> None:
    def nobody(host: str, port: int) -> list[Address]:
        raise OSError

    async with aclosing(Outside(resolve=nobody)) as lost:
        with pytest.raises(NotAnswered, match="nobody knows its name"):
            await lost.check(read_url("https://no.such.name.invalid/"))


# Answers ------------------------------------------------------------------------------------------


def within(gateway: Gateway) -> str:
    return f"http://127.0.0.1:{gateway.port}/"


async def test_a_redirection_is_an_answer_and_is_not_followed(
    gateway: Gateway, outside: Outside
) -> None:
    gateway.answer = lambda _: Answer(says(302, Location="http://169.254.169.254/latest"))
    answer = await outside.post(within(gateway), HEADERS, b"{}", PATIENCE)
    assert (answer.status, answer.taken, len(gateway.heard)) == (302, False, 1)


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (b"", Then.HANG),
        (b"HTTP/1.1 200 So\r\nContent-Le", Then.HANG),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Then.HANG),
        (b"", Then.CLOSE),
        (b"", Then.RESET),
        (b"\x00\xff nonsense \r\n\r\n", Then.CLOSE),
        (b"HTTP/1.1 999999 What\r\n\r\n", Then.CLOSE),
        (b"HTTP/1.1 200 So\r\n" + b"x: y\r\n" * 50_000, Then.CLOSE),
    ],
)
async def test_what_is_no_answer_ends_in_time(
    gateway: Gateway, outside: Outside, said: bytes, then: Then
) -> None:
    gateway.answer = lambda _: Answer(said, then)
    with pytest.raises(NotAnswered, match="no answer"):
        await outside.post(within(gateway), HEADERS, b"{}", within=0.3)


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (b"HTTP/1.1 200 So\r\nContent-Length: 1000000\r\n\r\nbegun", Then.HANG),
        (b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun", Then.HANG),
        (b"HTTP/1.1 200 So\r\nContent-Length: 1000000\r\n\r\nbegun", Then.RESET),
        (b"HTTP/1.1 200 So\r\n\r\n" + b"begun" + b"x" * 1_000_000, Then.CLOSE),
    ],
)
async def test_of_an_answer_that_never_ends_the_status_counts_and_little_is_read(
    gateway: Gateway, outside: Outside, said: bytes, then: Then
) -> None:
    gateway.answer = lambda _: Answer(said, then)
    answer = await outside.post(within(gateway), HEADERS, b"{}", PATIENCE)
    assert answer.taken
    assert len(answer.body) <= 4096


async def test_nobody_home_is_no_connection(outside: Outside) -> None:
    with pytest.raises(NotAnswered, match="no connection"):
        await outside.post("http://127.0.0.1:9/", HEADERS, b"{}", PATIENCE)


async def test_connections_that_are_kept_open_are_used_again(
    gateway: Gateway, outside: Outside
) -> None:
    gateway.answer = lambda _: OK
    for _ in range(3):
        assert (await outside.post(within(gateway), HEADERS, b"{}", PATIENCE)).taken
    assert gateway.connections == 1


@pytest.mark.parametrize(
    ("said", "wait"), [("7", 7.0), ("", None), ("Wed, 21 Oct", None), ("9" * 9, None), ("-1", None)]
)
async def test_how_long_it_wants_peace_is_read(
    gateway: Gateway, outside: Outside, said: str, wait: float | None
) -> None:
    gateway.answer = lambda _: Answer(says(503, Retry_After=said))
    assert (await outside.post(within(gateway), HEADERS, b"{}", PATIENCE)).wait == wait


async def test_one_that_hangs_holds_nobody_up(gateway: Gateway, outside: Outside) -> None:
    hangs = asyncio.Event()
    async with a_gateway() as other:
        other.answer = lambda _: Answer(then=Then.HANG)
        waiting = [
            asyncio.create_task(outside.post(within(other), HEADERS, b"{}", PATIENCE))
            for _ in range(20)
        ]
        await other.asked.wait()
        assert (await outside.post(within(gateway), HEADERS, b"{}", PATIENCE)).taken
        assert not hangs.is_set()
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
