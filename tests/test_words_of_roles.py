"""Every role has one Chinese word, and nobody is called otherwise: in messages, on pages, in what
the command line prints, in the demo.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from domain import words
from domain.vocabulary import ESCALATION, Role
from runtime.settings import ROOT

_ONE_WORD = {
    Role.AGENT: "热线工程师",
    Role.ENGINEER: "技术支持工程师",
    Role.CLERK: "回访人",
    Role.LEAD: "组长",
    Role.MANAGER: "部门经理",
    Role.GM_OFFICE: "总经办",
}
_OTHERWISE = re.compile(
    r"(?<!技术支持)(?<!热线)工程师|主管|坐席|班长|回访员|客服代表|客服人员|客服专员|(?<!部门)(?<!总)经理(?!办)"
)
_ROOMS = ("web", "cli", "activities", "domain", "starter", "inbound", "demo")
_SPOKEN = {"demo/play/lines.py", "cli/issues/actions.py"}
"""What people of the demo and in examples say, in their own words."""
_NOT_OURS = re.compile(r"总经理")


def spoken() -> Iterator[tuple[str, str]]:
    for room in _ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            where = str(path.relative_to(ROOT))
            if where in _SPOKEN:
                continue
            if path.suffix in {".html", ".j2", ".js"}:
                yield where, path.read_text("utf-8")
            elif path.suffix == ".py":
                for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield f"{where}:{node.lineno}", node.value


def test_every_role_has_the_regulations_word() -> None:
    assert {role: words.ROLES[role][0] for role in _ONE_WORD} == _ONE_WORD
    assert set(ESCALATION) <= set(_ONE_WORD)


def test_nobody_is_called_by_another_word() -> None:
    found = [
        f"{where}: {match[0]}"
        for where, text in spoken()
        for match in _OTHERWISE.finditer(_NOT_OURS.sub("", text))
    ]
    assert not found


@pytest.mark.parametrize("page", ["README.zh-CN.md"])
def test_the_chinese_documents_use_the_same_words(page: str) -> None:
    assert not _OTHERWISE.findall(_NOT_OURS.sub("", (ROOT / page).read_text("utf-8")))
