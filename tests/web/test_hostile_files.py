"""A hostile collection, through every door: nothing of it is ever handed out as what could run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.policy import SMTP
from typing import NamedTuple
from urllib.parse import unquote
from uuid import uuid4

import httpx2
import pytest

from domain.attachments import Attachment
from domain.files.kinds import RISKY, FileKind
from domain.issue.view import IssueView
from domain.vocabulary import Role
from inbound.mail import LetterBox, LetterFate
from tests.support import hostile_files as files
from tests.support.builders import an_intake
from tests.support.hostile_files import NAMES, Sent
from tests.support.letters import form, letter
from tests.support.running_desk import RunningDesk, Yinuo
from tests.support.staff_at_pages import sign_in
from tests.web.conftest import MakeToken
from tests.web.test_album import post, sent
from web.context import Doors

TAKEN = tuple(each for each in files.polyglots() if each.kind not in RISKY)
REFUSED = (*files.pretenders(), *files.broken())
ALL = (*TAKEN, *REFUSED)


class Came(NamedTuple):
    """What a door made of a collection: its issue, and the names of what it says was not taken."""

    issue_id: str
    number: str
    refused: str


Door = Callable[[tuple[Sent, ...]], Awaitable[Came]]


@pytest.fixture
async def issue(doors: Doors) -> IssueView:
    return await doors.desk.open(an_intake(reference=uuid4().hex, region="广东", agent="07"))


@pytest.fixture
def by_letter(running_desk: RunningDesk) -> Door:
    async def post_them(collection: tuple[Sent, ...]) -> Came:
        desk = running_desk.desk
        box = LetterBox(desk, running_desk.pool, form(), running_desk.attachments)
        message = letter("看附件")
        for each in collection:
            main, _, sub = each.declared.partition("/")
            message.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
        taken = await box.take(message.as_bytes(policy=SMTP), "192.0.2.7")
        assert taken.fate is LetterFate.REGISTERED
        issue = await desk.show(taken.said)
        kept = await desk.kept_words(issue.id)
        return Came(issue.id, issue.number, "\n".join(each.body for each in kept))

    return post_them


@pytest.fixture
def by_page(doors: Doors, http: httpx2.AsyncClient, issue: IssueView) -> Door:
    async def send(collection: tuple[Sent, ...]) -> Came:
        agent = await sign_in(doors, http, Role.AGENT, "07")
        answer = await post(agent, issue, sent(*((each.name, each.content) for each in collection)))
        return Came(issue.id, issue.number, answer.text.partition('role="alert"')[2])

    return send


@pytest.fixture
def by_http(http: httpx2.AsyncClient, token: MakeToken, issue: IssueView) -> Door:
    async def send(collection: tuple[Sent, ...]) -> Came:
        said, headers = [], await token(Role.AGENT)
        for each in collection:
            path = httpx2.URL(f"/issues/{issue.number}/attachments", params={"name": each.name})
            answer = await http.post(path, content=each.content, headers=headers)
            assert answer.status_code in (201, 415, 422)
            said += [each.name] if answer.is_error else []
        return Came(issue.id, issue.number, "\n".join(said))

    return send


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Door:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


DOORS = pytest.mark.parametrize("door", ["by_letter", "by_page", "by_http"], indirect=True)


@DOORS
async def test_nothing_of_it_is_taken_for_harmless_or_handed_out_as_what_could_run(
    door: Door, doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    came = await door(ALL)
    found = await doors.attachments.of(came.issue_id)
    assert sorted(each.kind for each in found) == sorted(each.kind for each in TAKEN)
    for each in REFUSED:
        assert each.name in came.refused
    headers = await token(Role.AGENT)
    for one in found:
        await is_harmless(http, headers, one)


async def is_harmless(http: httpx2.AsyncClient, headers: dict[str, str], one: Attachment) -> None:
    answer = await http.get(f"/attachments/{one.id}", headers=headers)
    assert answer.status_code == 200
    kind = FileKind(answer.headers["content-type"])
    assert kind not in RISKY
    said = answer.headers["content-disposition"]
    assert said.startswith("attachment;")
    assert unquote(said).endswith(kind.endings)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@DOORS
async def test_whatever_a_photograph_is_called_it_is_kept_under_a_name_that_leads_nowhere(
    door: Door, doors: Doors
) -> None:
    names = [name for name in NAMES if name.isprintable() and name and '"' not in name][:12]
    pictures = tuple(
        Sent(name, files.picture(size=(60 + place, 40)), FileKind.JPEG)
        for place, name in enumerate(names)
    )
    came = await door(pictures)
    found = {each.name for each in await doors.attachments.of(came.issue_id)}
    assert found == {NAMES[name] for name in names}


def test_the_command_line_takes_no_more(
    yinuo: Yinuo, issue: IssueView, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    for place, each in enumerate(REFUSED):
        path = folder / f"{place}-{each.name}"
        path.write_bytes(each.content)
        ran = yinuo("issue", "attach", issue.number, str(path), "--by", "07")
        assert ran.code != 0
    assert yinuo("issue", "attachments", issue.number, "--json").json == []
