"""Fault codes (R43): which there are for an issue, and what somebody entered with a result."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import Refused
from domain.sla.policy import Facts, FaultList, Policy


def list_for(policy: Policy, facts: Facts) -> FaultList | None:
    """Return the first list that fits an issue; what is asked of its customer is in none."""
    return next((each for each in policy.fault_lists if each.select.matches(facts)), None)


def entered(policy: Policy, facts: Facts, code: str | None) -> str | None:
    """Say what the desk calls the code that was entered with a result. A desk without any list
    takes every code as it is, and has no name for it.

    Raises:
        Refused: ``Invalid``: it is none of the list, or one is required; the list is named.
    """
    of_issue = list_for(policy, facts)
    if of_issue is None:
        if code and policy.fault_lists:
            raise _refused(
                f"there is no list of fault codes for {facts.product_line}: leave it out"
            )
        return None
    if code is None:
        if of_issue.required:
            raise _refused(f"give the fault code; {_told(of_issue)}")
        return None
    named = of_issue.codes.get(code)
    if named is None:
        raise _refused(f"{code} is no fault code; {_told(of_issue)}")
    return named.said(policy.desk.language)


def offered(policy: Policy, facts: Facts) -> Sequence[tuple[str, tuple[str, str]]]:
    """List what can be chosen for an issue, each code with its name in Chinese and in English."""
    of_issue = list_for(policy, facts)
    codes = of_issue.codes.items() if of_issue else ()
    return [(code, (f"{code} {named.zh}", f"{code} {named.en}")) for code, named in codes]


def _told(of_issue: FaultList) -> str:
    codes = ", ".join(f"{code} {named.zh}" for code, named in of_issue.codes.items())
    return f"the list {of_issue.name} has: {codes}"


def _refused(why: str) -> Refused:
    return Refused("Invalid", f"fault: {why}")
