"""Who may do and see what: laws that the table must not break, whatever is changed in it."""

import pytest

from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, ActionName
from domain.issue.view import view
from domain.staff.access import CALLERS, Caller, Reach, Right, may, reach
from domain.vocabulary import Role, Stage
from tests.support.builders import an_issue

SEEN = view(an_issue(Stage.ASSIGNED))


def caller(role: Role, id_: str = "somebody", department: str | None = None) -> Caller:
    return Caller(id=id_, role=role, name="Somebody", department=department)


def test_r30_customers_are_seen_by_those_who_speak_with_them_and_nobody_else() -> None:
    see = {role for role in CALLERS if reach(role, Right.SEE_CUSTOMER) is not Reach.NONE}
    assert see == set(CALLERS) - {Role.INTAKE, Role.AUDITOR}
    assert {role for role in CALLERS if reach(role, Right.FIND_CUSTOMERS) is not Reach.NONE} == {
        Role.AGENT
    }


def test_an_auditor_changes_nothing() -> None:
    rights: tuple[Right | ActionName, ...] = (*PUBLIC_ACTIONS, Right.OPEN)
    for what in rights:
        assert reach(Role.AUDITOR, what) is Reach.NONE


@pytest.mark.parametrize("name", [name for name in PUBLIC_ACTIONS if name is not ActionName.REPLAN])
def test_every_action_has_somebody_who_may_take_it(name: ActionName) -> None:
    assert any(reach(role, name) is not Reach.NONE for role in CALLERS)


@pytest.mark.parametrize("role", CALLERS)
def test_nobody_may_do_over_http_what_the_regulation_does_not_give_their_role(role: Role) -> None:
    for name in PUBLIC_ACTIONS:
        if role not in ACTIONS[name].rule.roles:
            assert reach(role, name) is Reach.NONE


def test_an_engineer_takes_their_own_actions_on_their_own_issues_only() -> None:
    mine = caller(Role.ENGINEER, SEEN.engineer.id if SEEN.engineer else "")
    other = caller(Role.ENGINEER, "other")
    for name in PUBLIC_ACTIONS:
        if Role.ENGINEER in ACTIONS[name].rule.roles and ACTIONS[name].rule.own:
            assert may(mine, name, SEEN)
            assert not may(other, name, SEEN)
    assert not may(other, Right.SEE, SEEN)
    assert not may(other, Right.SEE_CUSTOMER, SEEN)


@pytest.mark.parametrize("role", [Role.LEAD, Role.MANAGER])
def test_who_leads_a_department_acts_in_it_and_in_no_other(role: Role) -> None:
    assert may(caller(role, department=SEEN.department), Right.SEE_CUSTOMER, SEEN)
    for department in ("elsewhere", None):
        for what in (Right.SEE, Right.SEE_CUSTOMER, ActionName.REASSIGN):
            assert not may(caller(role, department=department), what, SEEN)


def test_an_intake_system_sees_what_it_registered_and_no_customer() -> None:
    own, other = caller(Role.INTAKE, SEEN.source), caller(Role.INTAKE, "other")
    assert may(own, Right.SEE, SEEN)
    assert not may(other, Right.SEE, SEEN)
    assert not may(own, Right.SEE_CUSTOMER, SEEN)


def test_a_clerk_sees_the_customers_who_are_to_be_called() -> None:
    clerk = caller(Role.CLERK)
    assert may(clerk, Right.SEE_CUSTOMER, view(an_issue(Stage.REPLIED)))
    assert not may(clerk, Right.SEE_CUSTOMER, SEEN)
