"""Group robots: a fake one answers as DingTalk, WeCom and Feishu document theirs."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot
from hypothesis import given
from hypothesis import strategies as st

from activities import robots
from activities.connections import Reply
from activities.sending import (
    DeliveryFailed,
    DeliveryRefused,
    DeliveryTooFast,
    DeliveryUnknown,
)
from activities.webhooks import WebhookSender
from tests.support.gateway import Answer, Gateway, Then, a_gateway, says
from tests.support.patience import PATIENCE

SECRET = "SECabc123"  # noqa: S105
DINGTALK, WECOM = "dingtalk://atoken/{to}", "wecombot://a-key"
FEISHU, LARK = "feishu://a-token", "lark://a-token"
ALL = [DINGTALK, WECOM, FEISHU, LARK]
SUBJECT, BODY = "新任务 20261123-07-0003", "请尽快受理。\n“Please” <accept> it."


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    async with a_gateway() as gateway:
        here = f"http://127.0.0.1:{gateway.port}"
        monkeypatch.setattr(NotifyDingTalk, "notify_url", here + "/robot/send?access_token={token}")
        monkeypatch.setattr(NotifyWeComBot, "notify_url", here + "/webhook/send?key={key}")
        monkeypatch.setattr(NotifyFeishu, "notify_url", here + "/open-apis/bot/v2/hook/{token}/")
        monkeypatch.setattr(NotifyLark, "notify_url", here + "/open-apis/bot/v2/hook/")
        yield gateway


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    async with aclosing(WebhookSender(timeout=PATIENCE)) as sender:
        yield sender


def yes(url: str) -> dict[str, Any]:
    if url in (FEISHU, LARK):
        return {
            "StatusCode": 0,
            "StatusMessage": "success",
            "code": 0,
            "data": {},
            "msg": "success",
        }
    return {"errcode": 0, "errmsg": "ok"}


def answering(answer: object, status: int = 200) -> Answer:
    return Answer(says(status, json.dumps(answer).encode(), Content_Type="application/json"))


async def send(sender: WebhookSender, url: str, to: str = "hotline") -> None:
    await sender.send(url, to, SUBJECT, BODY)


# What is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "target", "words"),
    [
        (DINGTALK, "/robot/send?access_token=atoken", ("text", "content")),
        (WECOM, "/webhook/send?key=a-key", ("text", "content")),
        (FEISHU, "/open-apis/bot/v2/hook/a-token", ("content", "text")),
        (LARK, "/open-apis/bot/v2/hook/a-token", ("content", "text")),
    ],
)
async def test_a_robot_is_told_subject_and_body_as_its_documentation_asks_for(
    gateway: Gateway, sender: WebhookSender, url: str, target: str, words: tuple[str, str]
) -> None:
    gateway.answer = lambda _: answering(yes(url))
    await send(sender, url)
    (heard,) = gateway.heard
    assert (heard.method, heard.target) == ("POST", target)
    assert heard.headers["content-type"].startswith("application/json")
    said = json.loads(heard.body)
    assert said.get("msgtype", said.get("msg_type")) == "text"
    assert said[words[0]][words[1]] == f"{SUBJECT}\n{BODY}"


async def test_a_dingtalk_robot_calls_whom_the_address_names(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: answering(yes(DINGTALK))
    for to in ("13800000001", "hotline"):
        await send(sender, DINGTALK, to)
    called = [json.loads(heard.body)["at"]["atMobiles"] for heard in gateway.heard]
    assert called == [["13800000001"], []]


async def test_a_secret_signs_as_dingtalk_documents_it(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: answering(yes(DINGTALK))
    await send(sender, f"dingtalk://{SECRET}@atoken/{{to}}")
    asked = parse_qs(urlsplit(gateway.heard[0].target).query)
    signed = f"{asked['timestamp'][0]}\n{SECRET}".encode()
    known = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert asked["access_token"] == ["atoken"]
    assert asked["sign"] == [base64.b64encode(known).decode()]


@pytest.mark.parametrize("url", ALL)
async def test_messages_to_a_robot_share_a_connection(
    gateway: Gateway, sender: WebhookSender, url: str
) -> None:
    gateway.answer = lambda _: answering(yes(url))
    for _ in range(5):
        await send(sender, url)
    assert (len(gateway.heard), gateway.connections) == (5, 1)


async def test_a_robot_behind_a_proxy_is_reached_through_it_and_its_answer_read(
    gateway: Gateway, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotifyWeComBot, "notify_url", "http://robots.example/send?key={key}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{gateway.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    gateway.answer = lambda _: answering({"errcode": 93000, "errmsg": "invalid webhook url"})
    with pytest.raises(DeliveryRefused):
        await send(sender, WECOM)
    assert gateway.heard[0].target == "http://robots.example/send?key=a-key"


@pytest.mark.parametrize(
    "url",
    [
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc-123",
        "https://open.larksuite.com/open-apis/bot/v2/hook/abc-123",
        "DingTalk://atoken",
        *ALL,
    ],
)
def test_a_robot_is_known_by_its_url(url: str) -> None:
    assert robots.kind_of(url) is not None
    assert robots.read(url) is not None


@pytest.mark.parametrize("url", ["json://dingtalk", "mailto://feishu.example", "wecombot://", ""])
def test_what_is_no_robot_is_left_to_others(url: str) -> None:
    assert robots.read(url) is None


# What is answered ---------------------------------------------------------------------------------


class Documented(NamedTuple):
    url: str
    code: int
    said: str
    raised: type[Exception]
    why: str


DOCUMENTED = [
    Documented(
        DINGTALK, 130101, "send too fast, exceed 20 times per minute", DeliveryTooFast, "too many"
    ),
    Documented(DINGTALK, 410100, "发送速度太快而限流", DeliveryTooFast, "too many"),
    Documented(DINGTALK, 90030, "webhook over limit", DeliveryTooFast, "too many"),
    Documented(DINGTALK, 310000, "keywords not in content", DeliveryRefused, "keyword"),
    Documented(
        DINGTALK, 310000, "description: 关键词不匹配；solution: ...", DeliveryRefused, "security"
    ),
    Documented(DINGTALK, 310000, "invalid timestamp", DeliveryRefused, "clock"),
    Documented(DINGTALK, 310000, "sign not match", DeliveryRefused, "secret"),
    Documented(DINGTALK, 310000, "ip 10.1.2.3 not in whitelist", DeliveryRefused, "address"),
    Documented(DINGTALK, 300001, "token is not exist", DeliveryRefused, "token"),
    Documented(DINGTALK, 300005, "token is not exist", DeliveryRefused, "token"),
    Documented(DINGTALK, 400013, "群已被解散", DeliveryRefused, "dissolved"),
    Documented(DINGTALK, 400101, "access_token不存在", DeliveryRefused, "token"),
    Documented(DINGTALK, 400102, "机器人已停用", DeliveryRefused, "switched off"),
    Documented(DINGTALK, 400106, "机器人不存在", DeliveryRefused, "removed"),
    Documented(DINGTALK, 430101, "含有不安全的外链", DeliveryRefused, "unsafe"),
    Documented(
        DINGTALK, 460101, "message too long, exceed 20000 bytes", DeliveryRefused, "too long"
    ),
    Documented(DINGTALK, -1, "系统繁忙", DeliveryFailed, "-1"),
    Documented(WECOM, 45009, "api freq out of limit", DeliveryTooFast, "too many"),
    Documented(WECOM, 45033, "api concurrent out of limit", DeliveryTooFast, "too many"),
    Documented(
        WECOM,
        93000,
        "invalid webhook url, hint: [159], from ip: 10.1.2.3",
        DeliveryRefused,
        "token",
    ),
    Documented(
        WECOM, 93000, "Invalid input : content exceed max length", DeliveryRefused, "too long"
    ),
    Documented(WECOM, 93004, "bot is disabled", DeliveryRefused, "switched off"),
    Documented(WECOM, 93008, "not in group", DeliveryRefused, "group"),
    Documented(WECOM, 40058, "content exceed max length 2048", DeliveryRefused, "too long"),
    Documented(WECOM, 45002, "content size out of limit", DeliveryRefused, "too long"),
    Documented(WECOM, -1, "system busy", DeliveryFailed, "-1"),
    Documented(FEISHU, 11232, "frequency limited psm", DeliveryTooFast, "too many"),
    Documented(FEISHU, 9499, "too many request", DeliveryTooFast, "too many"),
    Documented(FEISHU, 9499, "Bad Request", DeliveryRefused, "not as it should be"),
    Documented(
        FEISHU,
        19001,
        "param invalid: incoming webhook access token invalid",
        DeliveryRefused,
        "token",
    ),
    Documented(
        FEISHU, 19002, "params error, msg_type need", DeliveryRefused, "not as it should be"
    ),
    Documented(
        FEISHU,
        19021,
        "sign match fail or timestamp is not within one hour",
        DeliveryRefused,
        "secret",
    ),
    Documented(FEISHU, 19022, "Ip Not Allowed", DeliveryRefused, "address"),
    Documented(FEISHU, 19024, "Key Words Not Found", DeliveryRefused, "keyword"),
    Documented(LARK, 19024, "Key Words Not Found", DeliveryRefused, "keyword"),
    Documented(LARK, 11232, "frequency limited", DeliveryTooFast, "too many"),
    *(Documented(url, 777777, "what nobody documented", DeliveryFailed, "777777") for url in ALL),
]


def refusal(url: str, code: int, said: str) -> dict[str, Any]:
    if url in (FEISHU, LARK):
        return {"code": code, "data": {}, "msg": said}
    return {"errcode": code, "errmsg": said}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("no", DOCUMENTED, ids=lambda no: f"{no.url[:6]}{no.code}-{no.why}")
async def test_a_refusal_is_read_and_told_apart(
    gateway: Gateway, sender: WebhookSender, no: Documented, status: int
) -> None:
    gateway.answer = lambda _: answering(refusal(no.url, no.code, no.said), status)
    with pytest.raises((DeliveryFailed, DeliveryRefused)) as refused:
        await send(sender, no.url)
    assert type(refused.value) is no.raised
    assert no.why in str(refused.value)
    assert len(gateway.heard) == 1
    private = ("atoken", "a-key", "a-token", "hotline", "10.1.2.3", "新任务", "accept")
    assert not any(word in str(refused.value) for word in private)


async def test_the_older_form_of_feishus_answer_is_read_too(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: answering({"StatusCode": 0, "StatusMessage": "success"})
    await send(sender, FEISHU)
    gateway.answer = lambda _: answering({"StatusCode": 19024, "StatusMessage": "no"})
    with pytest.raises(DeliveryRefused, match="keyword"):
        await send(sender, FEISHU)


@pytest.mark.parametrize("url", ALL)
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"ok",
        b"<html><body>Please sign in to the hotel's network</body></html>",
        b"{}",
        b"[]",
        b"0",
        b'{"errcode": null, "code": null}',
        b'{"errcode": true, "code": false}',
        b'{"errcode": "", "code": "ok"}',
        b'{"errcode": 0.5, "code": 0.5}',
        b'{"errcode": 0, "code": 0',
        b'{"data": {"errcode": 0, "code": 0}}',
        b"[" * 60_000,
        b"\xff\xfe\x00",
    ],
)
async def test_a_200_without_a_yes_is_no_delivery_and_may_have_been_one(
    gateway: Gateway, sender: WebhookSender, url: str, said: bytes
) -> None:
    gateway.answer = lambda _: Answer(says(200, said))
    with pytest.raises(DeliveryUnknown, match="may have arrived"):
        await send(sender, url)
    assert len(gateway.heard) == 1


@pytest.mark.parametrize(
    ("status", "raised"),
    [(302, DeliveryFailed), (404, DeliveryFailed), (500, DeliveryFailed), (429, DeliveryTooFast)],
)
async def test_a_robot_that_answers_with_an_error_of_http_is_tried_again(
    gateway: Gateway, sender: WebhookSender, status: int, raised: type[Exception]
) -> None:
    gateway.answer = lambda _: Answer(says(status, b"<html>no</html>", Location="/elsewhere"))
    with pytest.raises(DeliveryFailed, match=f"error={status}") as failed:
        await send(sender, WECOM)
    assert type(failed.value) is raised
    assert len(gateway.heard) == 1


async def test_an_answer_that_breaks_off_leaves_it_unknown(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: Answer(says(200, b'{"errcode": 93000}')[:-3], Then.CLOSE)
    with pytest.raises(DeliveryUnknown):
        await send(sender, WECOM)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_FIELDS = st.sampled_from(["errcode", "errmsg", "code", "msg", "StatusCode", "StatusMessage"])


@given(
    kind=st.sampled_from(list(robots.KINDS.values())),
    status=st.sampled_from([200, 204, 302, 400, 429, 500]),
    answer=st.dictionaries(_FIELDS, _JSON) | _JSON,
    cut=st.integers(0, 200) | st.none(),
)
def test_whatever_is_answered_only_a_yes_is_a_delivery(
    kind: robots.Kind, status: int, answer: object, cut: int | None
) -> None:
    body = json.dumps(answer).encode()[:cut]
    try:
        robots.judge(kind, Reply(status, body))
    except (DeliveryFailed, DeliveryRefused, DeliveryUnknown):
        return
    said = json.loads(body)
    codes = [said[name] for name in kind.codes if name in said]
    assert status < 300
    assert any(str(code).strip().lstrip("-").strip("0") == "" for code in codes)
    assert all(isinstance(code, bool) or not isinstance(code, int) or code == 0 for code in codes)


@pytest.mark.parametrize("kind", robots.KINDS.values(), ids=lambda kind: kind.name)
def test_every_documented_code_has_a_meaning_in_the_end(kind: robots.Kind) -> None:
    """Those that are told apart by words end with one for all other words."""
    last = {no.code: no for no in kind.refusals}
    assert all(not no.says for no in last.values())


async def test_many_robots_at_once_are_each_answered(
    gateway: Gateway, sender: WebhookSender
) -> None:
    gateway.answer = lambda _: answering(yes(FEISHU) | yes(WECOM))
    await asyncio.gather(*(send(sender, url) for url in ALL * 3))
    assert len(gateway.heard) == 12
