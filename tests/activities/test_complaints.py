"""A complaint is registered once, however often that is tried (R21). On a real server: the skipping
one does not say why a second start is refused.
"""

from collections.abc import AsyncIterator

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.complaints import Complaints
from domain.issue.intake import Intake
from domain.sla.replanning import Order
from domain.vocabulary import Outcome, Stage
from store.connection import Pool
from tests.support.harness import StoryDesk, early_server, story_desk
from workflows.replan import ReplanWorkflow


@pytest.fixture(scope="module")
async def server(
    servers: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WorkflowEnvironment]:
    async with early_server(tmp_path_factory.mktemp("temporal")) as environment:
        yield environment


@pytest.fixture
async def desk(server: WorkflowEnvironment, database: Pool) -> AsyncIterator[StoryDesk]:
    async with story_desk(server, database, "2026-09-29 10:00") as found:
        yield found


async def a_complaint(desk: StoryDesk, **changes: object) -> Intake:
    """What a customer of an issue of ours says about it."""
    handle, _ = await desk.open()
    about = {"source": "desk", "arises_from": handle.id}
    return await desk.intake(kind="complaint", category="service", **about | changes)


async def raised(desk: StoryDesk, intake: Intake) -> str:
    """Run the activity, as an attempt of it."""
    number: str = await ActivityEnvironment(client=desk.env.client).run(
        Complaints(desk.pool).raise_complaint, intake
    )
    return number


async def count(desk: StoryDesk) -> int:
    return int(
        await desk.pool.fetchval("SELECT count(*) FROM issues WHERE arises_from IS NOT NULL")
    )


async def test_an_attempt_whose_answer_was_lost_is_tried_again_without_harm(
    desk: StoryDesk,
) -> None:
    intake = await a_complaint(desk)
    number = await raised(desk, intake)
    assert await raised(desk, intake) == number
    assert await count(desk) == 1
    complaint = desk.env.client.get_workflow_handle(intake.issue_id)
    assert (await desk.view(complaint)).stage is Stage.ASSIGNED
    assert await desk.steps(complaint) == ["registered"]


async def test_a_complaint_that_has_ended_meanwhile_is_still_the_same(desk: StoryDesk) -> None:
    intake = await a_complaint(desk)
    number = await raised(desk, intake)
    complaint = desk.env.client.get_workflow_handle(intake.issue_id)
    assert (await desk.withdraw(complaint)).outcome is Outcome.WITHDRAWN
    await complaint.result()
    assert await raised(desk, intake) == number
    assert await count(desk) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"region": "Atlantis"}, "region: no service centre serves Atlantis"),
        ({"arises_from": "issue:hotline:none"}, "arises_from: there is no issue"),
    ],
)
async def test_what_the_desk_refuses_is_not_tried_again(
    desk: StoryDesk, changes: dict[str, str], why: str
) -> None:
    intake = await a_complaint(desk, **changes)
    with pytest.raises(ApplicationError, match=why) as refused:
        await raised(desk, intake)
    assert (refused.value.type, refused.value.non_retryable) == ("Invalid", True)
    assert await count(desk) == 0


async def test_a_workflow_that_was_terminated_before_it_registered_is_begun_again(
    desk: StoryDesk,
) -> None:
    intake = await a_complaint(desk)
    complaint = await desk.start(intake)
    await complaint.terminate("an operator's mistake")
    number = await raised(desk, intake)
    assert await raised(desk, intake) == number
    assert await count(desk) == 1


async def test_a_workflow_that_ended_without_a_registration_has_no_number(
    desk: StoryDesk,
) -> None:
    """So ended, after a day, what the first version began and nobody told an intake."""
    intake = await a_complaint(desk)
    await desk.env.client.execute_workflow(
        ReplanWorkflow.run,
        Order(adoption=1, per_second=1),
        id=intake.issue_id,
        task_queue="issues",
    )
    with pytest.raises(ApplicationError, match="never registered") as refused:
        await raised(desk, intake)
    assert (refused.value.type, refused.value.non_retryable) == ("NotAllowed", True)
