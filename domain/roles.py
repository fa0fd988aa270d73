"""What the desk's people are called, by their roles: one word each, everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from domain.vocabulary import ESCALATION, Role

ROLES: Mapping[str, tuple[str, str]] = {
    Role.INTAKE: ("受理系统", "intake system"),
    Role.AGENT: ("热线工程师", "hotline agent"),
    Role.CLERK: ("回访人", "callback clerk"),
    Role.AUDITOR: ("审计员", "auditor"),
    Role.ENGINEER: ("技术支持工程师", "engineer"),
    Role.LEAD: ("组长", "lead"),
    Role.MANAGER: ("部门经理", "manager"),
    Role.GM_OFFICE: ("总经办", "GM office"),
}
PARTIES: Mapping[str, tuple[str, str]] = {
    **ROLES,
    Role.CUSTOMER: ("客户", "customer"),
    Role.SYSTEM: ("系统", "the desk"),
}
"""Everybody who may say something in a thread, by role."""


def rank(level: int) -> tuple[str, str]:
    """Say how high an issue rose: whose it is by now; nobody's beyond its handler is 0."""
    return ROLES[ESCALATION[level]] if level else ("未升级", "not escalated")
