"""The interface's own description: whole, true, and kept by whatever is asked."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from domain.attachments import Attachment
from domain.calls import Told
from domain.findings import Heartbeat
from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.arrival import FORMS
from domain.issue.intake import Customer, Intake
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role
from printing.files import PDF, XLSX
from runtime.embedded.ports import free_ports
from starter.reports import Behind
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk
from tests.web.conftest import MakeToken
from tests.web.test_api_opening import an_intake
from web.api import attachments as api_attachments
from web.api import audit as api_audit
from web.api import cases as api_cases
from web.api import events as api_events
from web.api import examples as api_examples
from web.api import reading as api_reading
from web.api import receivers as api_receivers
from web.api import reports as api_reports
from web.api import shapes as api_shapes
from web.api import vocabulary as api_vocabulary
from web.app import build
from web.context import Doors
from web.problems import PROBLEM

SHAPES: dict[str, type[BaseModel]] = {
    "IssueView": IssueView,
    "Issues": api_shapes.Issues,
    "Letters": api_shapes.Letters,
    "Pending": api_shapes.Pending,
    "Customer": Customer,
    "KeptWords": api_shapes.KeptWords,
    "Cases": api_cases.Cases,
    "Entries": api_audit.Entries,
    "Vocabulary": api_vocabulary.Vocabulary,
    "Heartbeat": Heartbeat,
    "Added": api_shapes.Added,
    "Attachment": Attachment,
    "Attachments": api_attachments.Attachments,
    "Events": api_events.Events,
    "ThreadPage": api_shapes.ThreadPage,
    "Receivers": api_receivers.Receivers,
    "AddedReceiver": api_receivers.AddedReceiver,
    "Rotated": api_receivers.Rotated,
    "Tried": api_receivers.Tried,
    "Told": Told,
    "Remarks": api_reading.Remarks,
    "KnownReports": api_reports.KnownReports,
    "CountedReport": api_reports.CountedReport,
    "Behind": Behind,
    "BecameComplaint": api_reading.BecameComplaint,
}

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


@pytest.mark.parametrize("name", [name for name in PUBLIC_ACTIONS if name is not ActionName.REPLAN])
def test_the_example_of_an_action_can_be_sent_as_it_is(name: ActionName) -> None:
    by = Actor(id="zhou.jianguo", role=Role.LEAD)
    FORMS[name].model_validate({"by": by, **api_examples.SAID[name]})


def test_the_example_of_an_intake_can_be_sent_as_it_is() -> None:
    now = {"reported_at": datetime.now(UTC)}
    assert Intake.model_validate({**now, **api_examples.INTAKE}).source == "web"


@pytest.mark.parametrize("name", api_examples.SHOWN)
def test_the_example_of_an_answer_is_what_comes_back(name: str) -> None:
    shown = api_examples.SHOWN[name]
    again = SHAPES[name].model_validate(shown).model_dump(mode="json")
    assert again == json.loads(json.dumps(shown))


def test_every_operation_shows_an_example_of_what_is_sent_and_of_what_comes_back(
    document: dict[str, Any],
) -> None:
    for path, operation in operations(document):
        shown = ("/issues", "/attachments", "/cases", "/audit", "/webhooks", "/telephone")
        if not path.startswith((*shown, "/evaluations", "/opinions", "/reports", "/vocabulary")):
            continue  # a webhook takes what its mapping file says
        body = operation.get("requestBody", {"content": {"": {"examples": True}}})
        assert all(each["examples"] for each in body["content"].values()), path
        good = [a for status, a in operation["responses"].items() if status[0] == "2"]
        told = [each["content"] for each in good if "content" in each]
        contents = [each["application/json"] for each in told if "application/json" in each]
        files = {"message/rfc822", "*/*", XLSX.media_type, PDF.media_type}
        nothing = "204" in operation["responses"]
        assert path.endswith("/complete") or contents or nothing or files & told[0].keys(), path
        assert all("example" in each for each in contents), path


def test_every_refusal_is_described_as_problem_details(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                assert set(answer["content"]) == {PROBLEM}, (path, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_operations_have_names_of_their_own_and_pages_are_left_out(
    document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert {"open_issue", "show_issue", "list_issues", "accept", "search_cases"} <= set(names)
    assert not {"/login", "/my", "/intake", "/board"} & set(document["paths"])


@pytest.fixture
async def address(doors: Doors) -> AsyncIterator[str]:
    """The doors at a real address: what asks is a program of its own."""
    unlimited = doors.settings.model_copy(update={"calls_per_minute": 1_000_000})
    app = build(replace(doors, settings=unlimited))
    (port,) = free_ports(1)
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    address = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient(base_url=address) as knocking:
        while not server.started:
            await asyncio.sleep(0)
        assert (await knocking.get("/openapi.json")).status_code == 200
    yield address
    server.should_exit = True
    await serving


async def test_whatever_the_description_allows_is_answered_as_it_says(
    address: str, token: MakeToken, tmp_path: Path, running_desk: RunningDesk
) -> None:
    """Each action is asked of an issue of its own, opened for it."""
    office = await token(Role.GM_OFFICE)
    names = [name for name in PUBLIC_ACTIONS if name is not ActionName.REPLAN]
    async with httpx2.AsyncClient(base_url=address, headers=office, timeout=PATIENCE) as http:
        opened = await asyncio.gather(
            *(http.post("/issues", json=an_intake()) for _ in range(len(names) + 1))
        )
    numbers = [each.json()["number"] for each in opened]
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(
        f'[parameters]\n"path.number" = "{numbers.pop()}"\n'
        + "".join(
            f'[[operations]]\ninclude-operation-id = "{name}"\n'
            f'parameters = {{ "path.number" = "{number}" }}\n'
            for name, number in zip(names, numbers, strict=True)
        ),
        "utf-8",
    )
    asking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"),
        f"{address}/openapi.json",
        *("--header", f"Authorization: {office['Authorization']}"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--seed", "5"),
        *("--checks", ",".join(CHECKS), "--no-color", "--continue-on-failure"),
        *("--exclude-tag", "health", "--generation-database", "none", "--warnings", "off"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asking.communicate()
    assert asking.returncode == 0, said.decode()
    done = await running_desk.pool.fetch(
        "SELECT DISTINCT what FROM door_log WHERE person = 'tian.hui' AND outcome = 'done'"
    )
    # Much of it was not refused: the desk was really asked.
    assert {row["what"] for row in done} > {"open", "accept", "escalate", "withdraw", "resolve"}
