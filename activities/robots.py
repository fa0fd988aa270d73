"""Group robots of DingTalk, WeCom and Feishu (Lark): they answer 200 also when they refuse, and say
in JSON what became of a message.

Apprise reads the URL and takes any 200 for success; so what is sent is sent here, and the answer
read. Codes are those of the robots' public documentation; one that is not known has failed and is
tried again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import httpx2
from apprise import Apprise
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot

from activities.connections import TOO_MANY_REQUESTS, Connections, Reply, Way, around
from activities.sending import (
    ASSET,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryTooFast,
    DeliveryUnknown,
)

ANSWER_WITHIN = 5.0
"""Seconds for the rest of a robot's answer: without its code nobody knows."""
_HEADERS = {"User-Agent": ASSET.app_id, "Content-Type": "application/json; charset=utf-8"}
_WRITTEN_CODE = re.compile(r"-?\d{1,9}", re.ASCII)


class No(NamedTuple):
    """What a code means: ``why``, in words that a person can act on; ``raised`` says what is to be
    done about it. One code of several meanings is told apart by what it ``says``, in small letters.
    """

    code: int
    raised: type[DeliveryFailed | DeliveryRefused]
    why: str
    says: str = ""


class Kind(NamedTuple):
    """One maker's robots. ``codes`` and ``words`` are the fields of an answer, the usual ones
    first; ``holds`` how many bytes of UTF-8 a message may have.
    """

    name: str
    urls: tuple[str, ...]
    holds: int
    codes: tuple[str, ...]
    words: tuple[str, ...]
    refusals: tuple[No, ...]
    address: Callable[[Any], str]
    payload: Callable[[Any, str], Mapping[str, object]]

    def no(self, code: int, said: str) -> No | None:
        """Find what a code means, None: nobody documented it."""
        of_code = (no for no in self.refusals if no.code == code)
        return next((no for no in of_code if no.says in said.lower()), None)


_NOT_TOKEN = "there is no such robot: its token is wrong, or it was removed"  # noqa: S105

_DINGTALK = (
    No(130101, DeliveryTooFast, "too many messages within a minute"),
    No(410100, DeliveryTooFast, "too many messages within a minute"),
    No(90030, DeliveryTooFast, "too many messages"),
    No(310000, DeliveryRefused, "the message has none of its keywords", "keyword"),
    No(310000, DeliveryRefused, "its secret does not fit", "sign"),
    No(310000, DeliveryRefused, "the clock of this machine is wrong", "timestamp"),
    No(310000, DeliveryRefused, "this machine's address is not on its list", "whitelist"),
    No(310000, DeliveryRefused, "its security settings do not let the message pass"),
    No(300001, DeliveryRefused, _NOT_TOKEN),
    No(300005, DeliveryRefused, _NOT_TOKEN),
    No(400101, DeliveryRefused, _NOT_TOKEN),
    No(400106, DeliveryRefused, _NOT_TOKEN),
    No(400102, DeliveryRefused, "it was switched off"),
    No(400013, DeliveryRefused, "its group was dissolved"),
    No(400105, DeliveryRefused, "it takes no such kind of message"),
    No(40035, DeliveryRefused, "the message is not as it should be"),
    No(430101, DeliveryRefused, "a link in the message is held to be unsafe"),
    No(430102, DeliveryRefused, "words of the message are held to be improper"),
    No(430103, DeliveryRefused, "a picture of the message is held to be improper"),
    No(430104, DeliveryRefused, "the message is held to be improper"),
    No(460101, DeliveryRefused, "the message is too long"),
)
_WECOM = (
    No(45009, DeliveryTooFast, "too many messages within a minute"),
    No(45033, DeliveryTooFast, "too many messages at once"),
    No(93000, DeliveryRefused, "the message is too long", "max length"),
    No(93000, DeliveryRefused, _NOT_TOKEN),
    No(93004, DeliveryRefused, "it was switched off"),
    No(93008, DeliveryRefused, "it is not in the group any more"),
    No(40058, DeliveryRefused, "the message is too long, or not as it should be"),
    No(45002, DeliveryRefused, "the message is too long"),
    No(40008, DeliveryRefused, "it takes no such kind of message"),
    No(44004, DeliveryRefused, "the message has no words"),
    No(60020, DeliveryRefused, "this machine's address is not on its list"),
)
_FEISHU = (
    No(11232, DeliveryTooFast, "too many messages within a minute"),
    No(9499, DeliveryTooFast, "too many messages within a minute", "too many"),
    No(9499, DeliveryRefused, "the message is not as it should be, or too long"),
    No(11246, DeliveryRefused, "the message is too long"),
    No(19001, DeliveryRefused, _NOT_TOKEN),
    No(19002, DeliveryRefused, "the message is not as it should be"),
    No(19021, DeliveryRefused, "its secret does not fit, or the clock of this machine is wrong"),
    No(19022, DeliveryRefused, "this machine's address is not on its list"),
    No(19024, DeliveryRefused, "the message has none of its keywords"),
)


def _signed(robot: NotifyDingTalk) -> str:
    address = str(robot.notify_url.format(token=robot.token))
    if not robot.secret:
        return address
    timestamp, signature = robot.get_signature()  # type: ignore[no-untyped-call]
    return f"{address}&timestamp={timestamp}&sign={signature}"


_FEISHUS = Kind(
    "Feishu",
    urls=("feishu://",),
    holds=19_900,  # of 20 KB for the whole request
    codes=("code", "StatusCode"),
    words=("msg", "StatusMessage"),
    refusals=_FEISHU,
    address=lambda robot: str(robot.notify_url.format(token=robot.token)).rstrip("/"),
    payload=lambda _, text: {"msg_type": "text", "content": {"text": text}},
)
KINDS: Mapping[type, Kind] = {
    NotifyDingTalk: Kind(
        "DingTalk",
        urls=("dingtalk://",),
        holds=19_900,  # of 20,000 for the whole request
        codes=("errcode",),
        words=("errmsg",),
        refusals=_DINGTALK,
        address=_signed,
        payload=lambda robot, text: {
            "msgtype": "text",
            "text": {"content": text},
            "at": {"atMobiles": robot.targets, "isAtAll": False},
        },
    ),
    NotifyWeComBot: Kind(
        "WeCom",
        urls=("wecombot://", "https://qyapi.weixin.qq.com/cgi-bin/webhook/"),
        holds=2048,
        codes=("errcode",),
        words=("errmsg",),
        refusals=_WECOM,
        address=lambda robot: str(robot.api_url),
        payload=lambda _, text: {"msgtype": "text", "text": {"content": text}},
    ),
    NotifyFeishu: _FEISHUS,
    # The same robots, for those outside of China.
    NotifyLark: _FEISHUS._replace(
        name="Lark",
        urls=("lark://", "https://open.larksuite.com/open-apis/bot/"),
        address=lambda robot: str(robot.webhook_url),
    ),
}


def kind_of(url: str) -> Kind | None:
    """Say whose robot a channel's URL leads to; None: to none."""
    return next((kind for kind in KINDS.values() if url.lower().startswith(kind.urls)), None)


class Robot(NamedTuple):
    """One robot, as Apprise read its URL. Confidential: it holds token and secret."""

    kind: Kind
    service: Any

    async def send(self, connections: Connections, subject: str, body: str) -> None:
        """Send one message; see ``Sender``."""
        address = self.kind.address(self.service)
        here = around(address, verify=self.service.verify_certificate)
        text = "\n".join(filter(None, (subject.strip(), body.rstrip())))
        reply = await connections.post(
            httpx2.URL(address),
            _HEADERS,
            json.dumps(self.kind.payload(self.service, text), ensure_ascii=False),
            Way(
                here.trusts,
                redirects=False,
                connect_within=self.service.socket_connect_timeout,
                proxy=here.proxy,
            ),
            rest_within=ANSWER_WITHIN,
        )
        judge(self.kind, reply)


def read(url: str) -> Robot | None:
    """Read a URL of Apprise's; None: it is no robot's, or not as it should be."""
    if kind_of(url) is None:
        return None
    service = Apprise.instantiate(url, asset=ASSET)
    kind = KINDS.get(type(service))
    return Robot(kind, service) if kind else None


def judge(kind: Kind, reply: Reply) -> None:
    """Pass over an answer that says yes.

    Raises:
        DeliveryTooFast, DeliveryFailed, DeliveryRefused: it says no.
        DeliveryUnknown: it says neither.
    """
    answer = _read(reply.body)
    codes = [code for name in kind.codes if (code := _code(answer.get(name))) is not None]
    code = next(filter(None, codes), 0)
    if not codes:
        _judge_by_status(kind, reply)
    elif code:
        said = " ".join(str(answer[name]) for name in kind.words if name in answer)
        no = kind.no(code, said)
        if no is None:
            raise DeliveryFailed(f"the {kind.name} robot says no for a reason not known: {code}")
        raise no.raised(f"the {kind.name} robot says no: {no.why} ({code})")
    elif not reply.taken:
        raise DeliveryUnknown(f"the {kind.name} robot says yes and error={reply.status}")


def _judge_by_status(kind: Kind, reply: Reply) -> None:
    if reply.taken:
        raise DeliveryUnknown(f"the {kind.name} robot did not say yes: it may have arrived")
    error = f"the {kind.name} robot is not to be spoken to: error={reply.status}"
    raise DeliveryTooFast(error) if reply.status == TOO_MANY_REQUESTS else DeliveryFailed(error)


def _read(body: bytes) -> Mapping[str, object]:
    with suppress(ValueError, RecursionError):
        answer = json.loads(body)
        if isinstance(answer, dict):
            return answer
    return {}


def _code(said: object) -> int | None:
    """Read a code, which some write as a text."""
    if isinstance(said, bool) or not _WRITTEN_CODE.fullmatch(str(said).strip()):
        return None
    return int(str(said))
