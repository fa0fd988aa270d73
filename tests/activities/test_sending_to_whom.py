"""A message goes to its address or to nobody, whichever of Apprise's providers carries it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import requests
from apprise import Apprise
from apprise.manager_plugins import NotificationManager

from activities.sending import (
    ASSET,
    AppriseSender,
    DeliveryFailed,
    DeliveryRefused,
    _addressed,
    _goes_astray,
)
from tests.support.patience import PATIENCE

OURS = "+8613800000001"
SENDER = "14165550199"
HEX, UUID = "a" * 32, "00000000-0000-4000-8000-000000000000"
URLS = {
    "NotifyAfricasTalking": f"atalk://desk@{HEX}/{{to}}",
    "NotifyBulkSMS": f"bulksms://{HEX}:{HEX}@{{to}}",
    "NotifyBulkVS": f"bulkvs://desk:secret@{SENDER}/{{to}}",
    "NotifyBurstSMS": f"burstsms://{HEX}:{HEX}@{SENDER}/{{to}}",
    "NotifyClickatell": f"clickatell://{HEX}/{{to}}",
    "NotifyClickSend": f"clicksend://desk:{HEX}@{{to}}",
    "NotifyCM": f"cm://{UUID}/{{to}}",
    "NotifyD7Networks": f"d7sms://{HEX}@{{to}}",
    "NotifyEight00com": f"eight00com://{HEX}@{SENDER}/{{to}}",
    "NotifyEvolution": f"evolution://{HEX}@localhost/desk/{{to}}",
    "NotifyExotel": f"exotel://desk:{HEX}@{SENDER}/{{to}}",
    "Notify46Elks": f"46elks://desk:secret@{SENDER}/{{to}}",
    "NotifyGupshup": f"gupshup://desk:{HEX}@{SENDER}/{{to}}",
    "NotifyHttpSMS": f"httpsms://{HEX}@{SENDER}/{{to}}",
    "NotifyInfobip": f"infobip://{HEX}@localhost/{{to}}",
    "NotifyKaleyra": f"kaleyra://desk:{HEX}@DESK/{{to}}",
    "NotifyKavenegar": f"kavenegar://{HEX}/{{to}}",
    "NotifyMessageBird": f"msgbird://{HEX[:25]}/{SENDER}/{{to}}",
    "NotifyMobileMessage": f"mobilemessage://desk:secret@{SENDER}/{{to}}",
    "NotifyMSG91": f"msg91://{HEX}@{HEX}/{{to}}",
    "NotifyNotifyre": f"notifyre://{HEX}/{{to}}",
    "NotifyOctopush": f"octopush://desk@example.com/{HEX}/{{to}}",
    "NotifyPingram": f"pingram://pingram_sk_{HEX}/{{to}}",
    "NotifyPlivo": f"plivo://{HEX[:25]}@{HEX}aaaaaaaa/{SENDER}/{{to}}",
    "NotifyRingCentral": f"ringc://{SENDER}:{HEX}@{HEX}/{HEX}/{{to}}",
    "NotifySerwerSMS": "serwersms://desk:secret@DESK/{to}",
    "NotifySeven": f"seven://{HEX}/{{to}}",
    "NotifySignalAPI": f"signal://localhost/{SENDER}/{{to}}",
    "NotifySinch": f"sinch://{HEX}:{HEX}@{SENDER}/{{to}}",
    "NotifySMPP": f"smpp://desk:secret@localhost/{SENDER}/{{to}}",
    "NotifySMSC": "smsc://desk:secret@{to}",
    "NotifySMSEagle": f"smseagle://{HEX}@localhost/{{to}}",
    "NotifySMSManager": f"smsmgr://{HEX}@{{to}}",
    "NotifySMSTunnel": f"smstunnel://{HEX}/{{to}}",
    "NotifySNS": f"sns://AHIAJGNT76XIMXDBIJYA/{HEX}/us-west-2/{{to}}",
    "NotifyTelesign": f"telesign://{UUID}:{HEX}@{{to}}",
    "NotifyTelnyx": f"telnyx://{HEX}@{SENDER}/{{to}}",
    "NotifyThreema": f"threema://*DESKDES@{HEX}/{{to}}",
    "NotifyTwilio": f"twilio://AC{HEX}:{HEX}@{SENDER}/{{to}}",
    "NotifyVoipms": f"voipms://secret:desk@example.com/{SENDER}/{{to}}",
    "NotifyVonage": f"vonage://{HEX}:{HEX}@{SENDER}/{{to}}",
    "NotifyWhapi": f"whapi://{HEX}/{{to}}",
    "NotifyWhatsApp": f"whatsapp://{HEX}@{SENDER}/{{to}}",
}
"""A channel of each of Apprise's providers that send to telephone numbers."""
ONLY_THEIR_OWN = {"NotifyVoipms": "+14165550132", "NotifyMobileMessage": "+61412345678"}
"""Providers that know one country alone."""
KNOW_NAMES = {"NotifyPingram", "NotifySerwerSMS", "NotifySMSEagle", "NotifySNS"}
"""What is no number goes to the person or group that is called so: to the very address."""
MALFORMED = (
    *("8.61390E+12", "call me", "13800000001/13900000001", "+8613800000001,+8613900000002"),
    *("138", "+86138000000011390000000113", "020-55500101转801"),
)


@pytest.fixture(autouse=True, scope="module")
def all_are_read() -> None:
    """Let Apprise read its plugins as the desk does: what is deprecated in them is theirs."""
    AppriseSender()


def plugins() -> dict[str, Any]:
    manager: Any = NotificationManager
    found = {each.__name__: each for each in manager().plugins()}
    return {
        name: each
        for name, each in found.items()
        if any(re.match("target.*(phone|sms)", token) for token in each.template_tokens)
    }


def test_every_provider_that_sends_to_numbers_is_tried_here() -> None:
    # DingTalk's numbers are who is mentioned in a group, and its address is the group's.
    assert plugins().keys() - {"NotifyDingTalk"} == URLS.keys()


@pytest.mark.parametrize("name", sorted(URLS))
def test_a_good_number_is_the_recipient_with_every_provider(name: str) -> None:
    url, to = URLS[name], ONLY_THEIR_OWN.get(name, OURS)
    service = Apprise.instantiate(_addressed(url, to), asset=ASSET)
    if service is None and not plugins()[name].enabled:
        pytest.skip("it needs a package that we do not bring")
    assert service is not None
    assert not _goes_astray(service, url, to)


@pytest.mark.parametrize("to", MALFORMED)
@pytest.mark.parametrize("name", sorted(URLS.keys() - KNOW_NAMES))
def test_what_no_provider_can_take_for_an_address_goes_nowhere(name: str, to: str) -> None:
    service = Apprise.instantiate(_addressed(URLS[name], to), asset=ASSET)
    assert service is None or _goes_astray(service, URLS[name], to)


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("mailto://desk:secret@example.com?to={to}", "li.na@example.com"),
        ("mailto://desk:secret@example.com/{to}", "Li.Na@Example.com"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/{to}", "#general"),
        ("dingtalk://secret@{to}", HEX),
        ("wecombot://{to}", UUID),
        ("feishu://{to}", UUID),
        ("json://localhost/sms?:to={to}", "anything at all"),
    ],
)
def test_addresses_that_are_no_numbers_are_left_alone(url: str, to: str) -> None:
    service = Apprise.instantiate(_addressed(url, to), asset=ASSET)
    assert service is not None
    assert not _goes_astray(service, url, to)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What providers were asked to send; nobody is asked in truth."""
    asked: list[Any] = []

    def post(*_: object, **said: Any) -> None:
        asked.append(said["data"])
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "post", post)
    return asked


@pytest.fixture
async def sender() -> AsyncIterator[AppriseSender]:
    async with aclosing(AppriseSender(timeout=PATIENCE)) as sender:
        yield sender


@pytest.mark.parametrize("name", ["NotifyVonage", "NotifyTwilio", "NotifyRingCentral"])
async def test_a_malformed_number_is_refused_for_good_before_anybody_is_asked(
    sender: AppriseSender, asked: list[Any], name: str
) -> None:
    with pytest.raises(DeliveryRefused, match="does not take this for an address") as refused:
        await sender.send(URLS[name], "8.61390E+12", "subject", "body")
    assert asked == []
    assert "8.6" not in str(refused.value)


async def test_a_good_number_is_what_the_provider_is_asked_for(
    sender: AppriseSender, asked: list[Any]
) -> None:
    with pytest.raises(DeliveryFailed):
        await sender.send(URLS["NotifyVonage"], OURS, "subject", "body")
    assert [each["to"] for each in asked] == [OURS.removeprefix("+")]
