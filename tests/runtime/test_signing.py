"""Links come back unchanged, in time, or not at all."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer as Seal
from itsdangerous.encoding import base64_encode
from pydantic import SecretStr

from domain.errors import SetupError
from domain.links import Link, Purpose, mark_of
from runtime.settings import Settings
from runtime.signing import LinkRefused, Links, Signer, link_id, links, signer

SECRET = "a secret of these tests and of no desk"  # noqa: S105
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
A_DAY = timedelta(days=1)
LINK = Link(
    number="20261123-07-0001",
    purpose=Purpose.TEST,
    person="customer",
    generation=2,
    until=NOW + A_DAY,
    mark=mark_of("issue:hotline:r-1"),
)
OLD = LINK.model_copy(update={"mark": None})
"""As they were before they had marks."""
ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def own() -> Signer:
    return Signer(SECRET)


def _signed(payload: bytes) -> str:
    """Sign as links are signed."""
    return Seal(SECRET, salt="yinuo links").sign(payload).decode()


def refused(signs: Signer, text: str, now: datetime = NOW) -> str:
    with pytest.raises(LinkRefused) as refusal:
        signs.read_link(text, now)
    return refusal.value.why


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("person", ["customer", "liang.jiahao", "梁家豪"])
def test_a_link_comes_back_as_it_was(own: Signer, purpose: Purpose, person: str) -> None:
    for before in (LINK, OLD):
        link = before.model_copy(update={"purpose": purpose, "person": person})
        assert own.read_link(own.link(link), NOW) == link


def test_a_link_that_went_out_before_links_had_marks_is_still_read(own: Signer) -> None:
    text = "20261123-07-0001 t customer 2 6a12450f"
    old = own.read_link(_signed(base64_encode(text)), datetime(2026, 5, 1, tzinfo=UTC))
    assert (old.number, old.purpose, old.person) == ("20261123-07-0001", "test", "customer")
    assert (old.generation, old.mark) == (2, None)


def test_links_of_two_issues_that_were_given_one_number_are_two_links(own: Signer) -> None:
    other = LINK.model_copy(update={"mark": mark_of("issue:hotline:r-2")})
    assert own.link(other) != own.link(LINK)
    assert own.read_link(own.link(other), NOW) == other


def test_a_link_is_short_and_needs_no_escaping(own: Signer) -> None:
    text = own.link(LINK)
    assert _signed(text.rpartition(".")[0].encode()) == text
    assert len(text) <= 80
    longer = LINK.model_copy(update={"number": "20261123-07-10001"})
    assert len(own.link(longer)) <= 80
    assert set(text) <= {*ALPHABET, "."}


def test_a_link_expires_at_its_instant_and_not_before(own: Signer) -> None:
    text = own.link(LINK)
    assert own.read_link(text, LINK.until - timedelta(microseconds=1)) == LINK
    assert refused(own, text, LINK.until) == "expired"


@pytest.mark.parametrize("link", [LINK, OLD], ids=["with a mark", "without"])
def test_whichever_character_is_changed_added_or_left_out_the_link_is_forged(
    own: Signer, link: Link
) -> None:
    text = own.link(link)
    for place, original in enumerate(text):
        for other in {*ALPHABET, ".", "=", "~"} - {original}:
            assert refused(own, text[:place] + other + text[place + 1 :]) == "forged"
        assert refused(own, text[:place] + text[place + 1 :]) == "forged"
        assert refused(own, text[:place] + "!" + text[place:]) == "forged"


@pytest.mark.parametrize("text", ["", ".", "a", "a.b", "..", "é.ü", "x" * 5000])
def test_what_never_was_a_link_is_forged(own: Signer, text: str) -> None:
    assert refused(own, text) == "forged"


def test_a_signature_is_of_one_purpose_and_of_one_desk(own: Signer) -> None:
    text = own.link(LINK)
    accept = own.link(LINK.model_copy(update={"purpose": Purpose.ACCEPT}))
    payload, _, signature = text.rpartition(".")
    assert refused(own, f"{accept.rpartition('.')[0]}.{signature}") == "forged"
    for salt in ("link", "links", " links", ""):
        assert refused(own, own.timed(salt).make_signer().sign(payload).decode()) == "forged"
    assert refused(own, own.timed("session").make_signer().sign(payload).decode()) == "forged"
    assert refused(own, Seal(SECRET, salt="yinuo.session").sign(payload).decode()) == "forged"
    assert refused(Signer(SECRET + "!"), text) == "forged"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "20261123-07-0001 t customer 1",
        "20261123-07-0001 x customer 1 7fffffff",
        "20261123-07-0001 t customer one 7fffffff",
        "20261123-07-0001 t customer 1 soon",
        "20261123-07-0001 t customer 1 7fffffff more",
        "20261123-07-0001 t customer 1 7fffffff abcdef",
        "20261123-07-0001 t  1 7fffffff",
        "20261123-07-0001 t  1 7fffffff abcdef more",
        "20261123-07-0001 t  1 7fffffff ",
        "20261123-07-0001 t customer 01 7fffffff",
        "20261123-07-0001 t customer 1 fffffffffffff",
    ],
)
def test_what_is_signed_but_no_link_of_ours_is_forged(own: Signer, said: str) -> None:
    assert refused(own, _signed(base64_encode(said))) == "forged"


# In text messages --------------------------------------------------------------------------------


STAFFS = {"approve", "rate", "advise", "reopen", "remedy"}
TEXTED = [each for each in Purpose if each not in STAFFS]
"""What a link in a text message may be for; those of staff who decide are never customers'."""


@pytest.mark.parametrize("purpose", TEXTED)
def test_a_customers_link_in_a_text_message_is_half_as_long_and_comes_back_as_it_was(
    own: Signer, purpose: Purpose
) -> None:
    link = LINK.model_copy(update={"purpose": purpose})
    text = own.brief_link(link)
    assert len(text) == 34
    assert set(text) <= set(ALPHABET)
    assert own.read_link(text, NOW) == link
    assert own.read_link(own.link(link), NOW) == link
    assert refused(own, text, LINK.until) == "expired"


@given(
    day=st.dates(date(2020, 1, 1), date(2150, 1, 1)),
    agent=st.from_regex(r"[0-9]{2,4}", fullmatch=True),
    serial=st.integers(0, 99_999),
    purpose=st.sampled_from(TEXTED),
    generation=st.integers(1, 511),
    minutes=st.integers(1, 10_000_000),
    issue=st.text(),
)
def test_whatever_number_an_issue_has_its_short_link_leads_to_it_alone(
    day: date,
    agent: str,
    serial: int,
    purpose: Purpose,
    generation: int,
    minutes: int,
    issue: str,
) -> None:
    own = Signer(SECRET)
    link = Link(
        number=f"{day:%Y%m%d}-{agent}-{serial:04d}",
        purpose=purpose,
        person="customer",
        generation=generation,
        until=NOW + timedelta(minutes=minutes),
        mark=mark_of(issue),
    )
    text = own.brief_link(link)
    assert own.read_link(text, NOW) == link
    assert len(text) == 34


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "liang.jiahao"},
        {"purpose": Purpose.APPROVE},
        {"mark": None},
        {"until": LINK.until + timedelta(seconds=1)},
        {"number": "20261123-07-100001"},
        {"number": "another"},
        {"generation": 512},
        {"until": datetime(2060, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_what_does_not_fit_is_written_at_length(own: Signer, changes: dict[str, object]) -> None:
    link = LINK.model_copy(update=changes)
    assert own.brief_link(link) == own.link(link)
    assert own.read_link(own.brief_link(link), NOW) == link


def test_whichever_character_of_a_short_link_is_changed_added_or_left_out_it_is_forged(
    own: Signer,
) -> None:
    text = own.brief_link(LINK)
    for place, original in enumerate(text):
        for other in {*ALPHABET, ".", "=", "~", "é"} - {original}:
            assert refused(own, text[:place] + other + text[place + 1 :]) == "forged"
        assert refused(own, text[:place] + text[place + 1 :]) == "forged"
        assert refused(own, text[:place] + "A" + text[place:]) == "forged"


def test_a_short_link_is_of_one_desk_and_no_other_signature_opens_it(own: Signer) -> None:
    text = own.brief_link(LINK)
    assert refused(Signer(SECRET + "!"), text) == "forged"
    for salt in ("yinuo links", "yinuo.links", "yinuo.session"):
        other = Seal(SECRET, salt=salt).get_signature(text[:20]).decode()[:14]
        assert refused(own, text[:20] + other) == "forged"
    full = own.brief_link(LINK.model_copy(update={"generation": 3}))
    assert refused(own, text[:20] + full[20:]) == "forged"


def test_a_links_name_tells_nothing_of_it_and_is_its_own(own: Signer) -> None:
    text = own.link(LINK)
    assert link_id(text) == link_id(text)
    assert link_id(text) != link_id(own.link(LINK.model_copy(update={"generation": 3})))
    assert len(link_id(text)) == 32
    assert link_id(text) not in text


def test_an_address_begins_as_people_reach_the_doors(own: Signer) -> None:
    address = Links(own, "https://desk.example").address(LINK)
    assert address == f"https://desk.example/l/{own.link(LINK)}"


def test_all_processes_of_a_desk_read_each_others_links(tmp_path: Path) -> None:
    here = Settings(home=tmp_path, public_url="https://desk.example/")
    text = links(here).address(LINK).removeprefix("https://desk.example/l/")
    assert signer(here).read_link(text, NOW) == LINK
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert refused(signer(Settings(home=tmp_path / "another")), text) == "forged"


def test_a_secret_that_can_be_guessed_is_refused_and_not_quoted(tmp_path: Path) -> None:
    short = SecretStr("hunter2")
    with pytest.raises(SetupError, match="YINUO_SECRET: at least 32") as error:
        signer(Settings(home=tmp_path, secret=short))
    assert "hunter2" not in str(error.value)
