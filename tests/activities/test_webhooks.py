import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from apprise.plugins.custom_json import NotifyJSON

from activities import connections, webhooks
from activities.sending import AppriseSender, DeliveryFailed, DeliveryUnknown
from activities.webhooks import WebhookSender
from runtime.embedded.ports import free_ports
from tests.support.gateway import OK, Answer, Gateway, Heard, Then, a_gateway, says
from tests.support.mail_server import self_signed
from tests.support.patience import PATIENCE

TO = "+86 138-0000-0000"
SUBJECT, BODY = " 新任务 New task ", "请尽快受理。\n“Please” accept it.\n"


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with a_gateway() as gateway:
        yield gateway


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    async with aclosing(WebhookSender(timeout=PATIENCE)) as sender:
        yield sender


@pytest.fixture
async def apprise() -> AsyncIterator[AppriseSender]:
    async with aclosing(AppriseSender(timeout=PATIENCE)) as apprise:
        yield apprise


def is_ours(url: str, to: str = "x") -> bool:
    return webhooks.read(url.replace("{to}", to)) is not None


async def send(sender: WebhookSender | AppriseSender, url: str, to: str = TO) -> None:
    await sender.send(url, to, SUBJECT, BODY)


async def failed(
    sender: WebhookSender | AppriseSender, url: str, to: str = TO, body: str = BODY
) -> bool:
    try:
        await sender.send(url, to, SUBJECT, body)
    except DeliveryFailed:
        return True
    return False


# What Apprise would send --------------------------------------------------------------------------

PLAIN = [
    "",
    "/",
    "/{to}",
    "/hook/?:to={to}",
    "/a b/{to}/c?-q={to}&-empty=&-x=1%262",
    "/hook/{to}/",
    "/%E4%B8%AD/{to}?-%E4%B8%AD=%E6%96%87",
    "/?+X-Token=a+b%3D&+x-to={to}&-to={to}",
    "/?+User-Agent=gateway&+Content-Type=text/json&+Accept=text/plain",
    "/?:version=&:title=subject&:message=body&:type=&:attachments=&:n=1&:to={to}",
    "/?:title=message&:message=title",
    "/?cto=2&rto=9&verify=no&redirect=no&method=post",
]
TO_APPRISE = [
    "/{to}?method=PUT",
    "/{to}?method=GET",
    "/{to}?overflow=split",
    "/{to}?format=html",
    "/{to}?emojis=yes",
    "/{to}?tag=one",
    "/{to}?optional=yes",
    "/{to}?retry=0",
    "/{to}?what=ever",
    "/{to}?+Host=elsewhere",
    "/{to}?+Connection=close",
    "/{to}?+X-Name=%C3%A4",
    "/{to}?user=somebody&pass=secret",
]
ADDRESSES = [
    TO,
    "wang.fang@example.com",
    "a&b=/?#{to}",
    "王芳 Wang",
    "50%41%",
    " x ",
    "a//b/../c",
    ";x,y",
    "<>'\"|[]{}^`\\~!*()",
]


@pytest.mark.parametrize("rest", [*PLAIN, *TO_APPRISE])
async def test_whatever_the_url_asks_for_is_sent_as_apprise_sends_it(
    gateway: Gateway, sender: WebhookSender, apprise: AppriseSender, rest: str
) -> None:
    url = gateway.url(rest)
    for to in ADDRESSES:
        gateway.heard.clear()
        failures = [await failed(one, url, to) for one in (sender, apprise)]
        assert failures == [len(gateway.heard) == 0] * 2
        assert gateway.heard[:1] == gateway.heard[1:]


@pytest.mark.parametrize("user", ["name:pass@", "n%40me:p%3Ass%2F@"])
async def test_who_sends_is_said_as_apprise_says_it(
    gateway: Gateway, sender: WebhookSender, apprise: AppriseSender, user: str
) -> None:
    assert is_ours(gateway.url(user=user))
    for one in (sender, apprise):
        await send(one, gateway.url(user=user))
    ours, theirs = gateway.heard
    assert ours == theirs
    assert ours.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("rest", PLAIN)
def test_what_is_known_here_is_not_left_to_apprise(rest: str) -> None:
    assert is_ours(f"json://gateway.example:8080{rest}")


@pytest.mark.parametrize("rest", TO_APPRISE)
def test_what_is_not_known_here_is_left_to_apprise(rest: str) -> None:
    assert not is_ours(f"json://gateway.example:8080{rest}")


@pytest.mark.parametrize(
    "url",
    [
        "json://only-a-name@gateway.example/{to}",
        "json://王:芳@gateway.example/{to}",
        "JSON://gateway.example/{to}",
        "json://",
        "json://gateway.example:port/{to}",
        "xml://gateway.example/{to}",
        "mailto://gateway.example/{to}",
        "nothing at all",
    ],
)
def test_another_service_and_what_nobody_understands_is_left_to_apprise(url: str) -> None:
    assert not is_ours(url)


def test_all_that_apprise_may_be_asked_for_is_known_here_or_left_to_it() -> None:
    """An option of its next version is not passed over in silence."""
    options = set(NotifyJSON.template_args)
    assert options >= webhooks._KNOWN
    for option in options - webhooks._KNOWN:
        assert not is_ours(f"json://gateway.example/{{to}}?{option}=1")


def test_a_webhook_that_a_proxy_leads_to_is_left_to_apprise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    assert not is_ours("json://gateway.example/{to}")
    assert is_ours("json://near.example/{to}")
    assert is_ours("jsons://gateway.example/{to}")


async def test_a_password_in_netrc_is_used_as_apprise_uses_it(
    gateway: Gateway,
    sender: WebhookSender,
    apprise: AppriseSender,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login desk password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for one in (sender, apprise):
        await send(one, gateway.url())
    ours, theirs = gateway.heard
    assert ours == theirs
    assert ours.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("body", ["", " \n"])
async def test_a_message_without_words_fails_or_leaves_as_with_apprise(
    gateway: Gateway, sender: WebhookSender, apprise: AppriseSender, body: str
) -> None:
    url = gateway.url()
    assert await failed(sender, url, body=body) == await failed(apprise, url, body=body)
    assert gateway.heard[:1] == gateway.heard[1:]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("redirect", ["yes", "no"])
async def test_a_webhook_that_leads_on_is_followed_as_apprise_follows_it(
    gateway: Gateway,
    sender: WebhookSender,
    apprise: AppriseSender,
    status: int,
    redirect: str,
) -> None:
    def answer(heard: Heard) -> Answer:
        return OK if heard.target == "/new" else Answer(says(status, Location="/new"))

    gateway.answer = answer
    url = gateway.url(f"/old?redirect={redirect}", user="name:pass@")
    outcomes = []
    for one in (sender, apprise):
        gateway.heard.clear()
        failure = await failed(one, url)
        told = [(*heard[:2], heard.body, heard.headers["authorization"]) for heard in gateway.heard]
        outcomes.append((failure, told))
    ours, theirs = outcomes
    assert ours == theirs
    assert ours[0] == (redirect == "no")


# Connections --------------------------------------------------------------------------------------


async def test_messages_of_a_webhook_share_a_connection_while_it_is_open(
    gateway: Gateway, sender: WebhookSender
) -> None:
    for n in range(5):
        await send(sender, gateway.url(f"/{n}"))
    assert len(gateway.heard) == 5
    assert gateway.connections == 1


async def test_what_is_sent_at_once_has_connections_of_its_own(
    gateway: Gateway, sender: WebhookSender
) -> None:
    for _ in range(2):
        await asyncio.gather(*(send(sender, gateway.url()) for _ in range(12)))
    assert len(gateway.heard) == 24
    assert gateway.connections <= 12


async def test_a_connection_that_was_closed_meanwhile_is_not_used_again(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: Answer(OK.said, Then.CLOSE)
    for n in range(3):
        await send(sender, gateway.url(f"/{n}"))
        await closing_is_noticed(sender)
    assert [heard.target for heard in gateway.heard] == ["/0", "/1", "/2"]
    assert gateway.connections == 3


async def closing_is_noticed(sender: WebhookSender) -> None:
    for transport in sender.connections.transports.values():
        for connection in transport._pool.connections:
            async with asyncio.timeout(PATIENCE):
                while not connection.has_expired():
                    await asyncio.sleep(0)


async def test_a_connection_is_not_kept_where_the_answer_says_so(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: Answer(says(200, Connection="close"), Then.CLOSE)
    for _ in range(3):
        await send(sender, gateway.url())
    assert (len(gateway.heard), gateway.connections) == (3, 3)


async def test_cookies_of_one_message_are_not_sent_with_another(
    gateway: Gateway, sender: WebhookSender, apprise: AppriseSender
) -> None:
    def answer(heard: Heard) -> Answer:
        if heard.target == "/new":
            return OK
        return Answer(says(307, Location="/new", Set_Cookie=f"{heard.target[1:]}=1; Path=/"))

    gateway.answer = answer
    for one in (sender, apprise):
        gateway.heard.clear()
        for target in ("/one", "/two", "/new"):
            await send(one, gateway.url(target))
        cookies = [heard.headers.get("cookie") for heard in gateway.heard]
        assert cookies == [None, "one=1", None, "two=1", None]


# Failed, or nobody knows --------------------------------------------------------------------------


async def test_a_webhook_that_nobody_listens_at_has_failed(sender: WebhookSender) -> None:
    with pytest.raises(DeliveryFailed, match="Connection error") as failure:
        await send(sender, f"json://127.0.0.1:{free_ports(1)[0]}/?:to={{to}}")
    assert "127" not in str(failure.value)


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
async def test_a_webhook_that_refuses_has_failed(
    gateway: Gateway, sender: WebhookSender, status: int
) -> None:
    gateway.answer = lambda _: Answer(says(status, b"no"))
    with pytest.raises(DeliveryFailed, match=f"error={status}"):
        await send(sender, gateway.url())


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_a_webhook_that_takes_it_has_it(
    gateway: Gateway, sender: WebhookSender, status: int
) -> None:
    gateway.answer = lambda _: Answer(says(status))
    await send(sender, gateway.url())
    assert json.loads(gateway.heard[0].body)["to"] == TO


@pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET])
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", b"SSH-2.0-what\r\n"])
@pytest.mark.parametrize("kept", [False, True])
async def test_a_connection_that_breaks_before_the_answer_leaves_it_unknown_and_nothing_is_resent(
    gateway: Gateway, sender: WebhookSender, then: Then, said: bytes, *, kept: bool
) -> None:
    if kept:
        await send(sender, gateway.url())
        gateway.heard.clear()
    gateway.answer = lambda _: Answer(said, then)
    with pytest.raises(DeliveryUnknown, match="may have arrived"):
        await send(sender, gateway.url())
    assert len(gateway.heard) == 1
    assert gateway.connections == 1


async def test_a_server_that_breaks_connections_gets_one_for_each_message_from_then_on(
    gateway: Gateway, sender: WebhookSender
) -> None:
    """One that closes them without saying so makes each kept one a risk for the next message."""
    await send(sender, gateway.url())
    gateway.answer = lambda _: Answer(b"", Then.CLOSE)
    with pytest.raises(DeliveryUnknown):
        await send(sender, gateway.url())
    gateway.answer = lambda _: Answer(OK.said, Then.CLOSE)
    for _ in range(9):
        await send(sender, gateway.url())
    assert gateway.connections == 10
    assert gateway.heard[-1].headers["connection"] == "close"


async def test_without_an_answer_in_time_it_is_unknown_and_its_connection_is_not_used_again(
    gateway: Gateway, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(sender, gateway.url())
    gateway.answer = lambda _: Answer(b"", Then.HANG)
    with monkeypatch.context() as patch:
        patch.setattr(sender.connections, "timeout", 0.1)
        with pytest.raises(DeliveryUnknown, match=r"no answer within 0\.1 s"):
            await send(sender, gateway.url())
    gateway.answer = lambda _: OK
    await send(sender, gateway.url())


@pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET, Then.HANG])
@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_that_breaks_off_after_its_status_is_one(
    gateway: Gateway,
    sender: WebhookSender,
    monkeypatch: pytest.MonkeyPatch,
    then: Then,
    status: int,
) -> None:
    monkeypatch.setattr(connections, "REST_WITHIN", 0.05)
    gateway.answer = lambda _: Answer(says(status, b"a long answer")[:-5], then)
    if status == 200:
        await send(sender, gateway.url())
    else:
        with pytest.raises(DeliveryFailed, match="error=500"):
            await send(sender, gateway.url())
    gateway.answer = lambda _: OK
    await send(sender, gateway.url())
    assert gateway.connections == 2


async def test_a_webhook_that_leads_to_where_nobody_is_may_have_taken_it(
    gateway: Gateway, sender: WebhookSender
) -> None:
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}/"
    gateway.answer = lambda _: Answer(says(302, Location=nowhere))
    with pytest.raises(DeliveryUnknown, match="may have arrived"):
        await send(sender, gateway.url())


async def test_a_webhook_that_leads_in_a_circle_has_failed(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: Answer(says(307, Location="/"))
    with pytest.raises(DeliveryFailed):
        await send(sender, gateway.url())


@pytest.mark.parametrize("then", [Then.KEEP, Then.CLOSE])
async def test_a_url_that_asks_for_more_attempts_gets_one_of_each_delivery(
    gateway: Gateway, sender: WebhookSender, then: Then
) -> None:
    """Apprise would send again at once, also what may have arrived."""
    gateway.answer = lambda _: Answer(says(500) if then is Then.KEEP else b"", then)
    with pytest.raises(DeliveryFailed):
        await send(sender, gateway.url("/{to}?retry=2&wait=0"))
    assert len(gateway.heard) == 1


async def test_neither_address_nor_secret_nor_words_are_logged(
    gateway: Gateway, sender: WebhookSender, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await send(sender, gateway.url("/secret/{to}?:to={to}&+X-Token=secret"))
    assert len(gateway.heard) == 1
    assert not any(word in caplog.text for word in ("secret", "138", "新任务"))


# Over TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(self_signed("127.0.0.1", tmp_path_factory.mktemp("webhooks") / "own.pem"))


async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_the_url_says_otherwise(
    certificate: str, sender: WebhookSender
) -> None:
    async with a_gateway(certificate) as gateway:
        with pytest.raises(DeliveryFailed, match="Connection error"):
            await send(sender, gateway.url(schema="jsons"))
        assert gateway.heard == []
        for _ in range(2):
            await send(sender, gateway.url("/?verify=no&:to={to}", schema="jsons"))
        assert len(gateway.heard) == 2
        with pytest.raises(DeliveryFailed, match="Connection error"):
            await send(sender, gateway.url(schema="jsons"))


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_certificates_of_the_desk_are_trusted_as_apprise_trusts_them(
    certificate: str, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(name, certificate)
    async with a_gateway(certificate) as gateway:
        for _ in range(2):
            await send(sender, gateway.url(schema="jsons"))
        assert gateway.connections == 1


async def test_certificates_that_cannot_be_read_let_nothing_out(
    sender: WebhookSender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(DeliveryFailed, match="certificates cannot be read"):
        await send(sender, "jsons://127.0.0.1/{to}")
