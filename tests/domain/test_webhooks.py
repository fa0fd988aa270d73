"""How receivers can tell that it comes from us, by Standard Webhooks; when it comes again."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from domain.webhooks import NewEndpoint, headers, key_of, pause, signature

# The example of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
BODY = b'{"test": 2432232314}'
ID, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330


def test_a_message_is_signed_as_the_specification_signs_its_own() -> None:
    assert signature(SECRET, ID, AT, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_both_sign() -> None:
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    sent = headers(ID, datetime.fromtimestamp(AT, UTC), BODY, [other, SECRET])
    assert (sent["webhook-id"], sent["webhook-timestamp"]) == (ID, str(AT))
    mine = hmac.new(b"x" * 32, f"{ID}.{AT}.".encode() + BODY, sha256).digest()
    assert sent["webhook-signature"].split(" ") == [
        f"v1,{base64.b64encode(mine).decode()}",
        signature(SECRET, ID, AT, BODY),
    ]


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?", "whsec_YQ"])
def test_what_is_no_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match=r"secret begins|base64|padding"):
        key_of(secret)


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    first, longest = timedelta(seconds=5), timedelta(hours=1)
    pauses = [pause(attempts, first, longest) for attempts in (1, 2, 3, 10, 11, 10_000)]
    assert pauses[:3] == [first, 2 * first, 4 * first]
    assert pauses[3:] == [512 * first, longest, longest]


def test_types_that_no_event_has_are_named() -> None:
    wanted = NewEndpoint(url="https://a.example/", types=("issue.closed", "issue.eaten"))
    assert wanted.unknown_types() == ("issue.eaten",)
