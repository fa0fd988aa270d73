"""What the README tells people to type into a terminal, typed into one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import ROOT
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk

_RUN = re.compile(
    r"<!-- run by tests/cli/test_readme.py -->\n```sh\n(.*?)```\n<!-- end -->", re.DOTALL
)
_PRINTED = "DESK=http://127.0.0.1:8080"


def answers(text: str) -> list[dict[str, object]]:
    """Read the JSON documents that came one after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        found.append(document)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


@pytest.fixture
def lines() -> str:
    [found] = _RUN.findall((ROOT / "README.md").read_text("utf-8"))
    assert isinstance(found, str)
    return found


def test_the_curl_lines_of_the_readme_work_as_printed(
    running_desk: RunningDesk, lines: str, tmp_path: Path
) -> None:
    assert shutil.which("curl"), "curl is needed: `make browser` installs it on Debian"
    assert lines.count(_PRINTED) == 1
    here = lines.replace(_PRINTED, f"DESK={running_desk.settings.base_url}")
    yinuo = tmp_path / "yinuo"
    yinuo.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli "$@"\n', "utf-8")
    yinuo.chmod(0o755)
    environment = {
        **os.environ,
        **running_desk.environment,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "no_proxy": "127.0.0.1",
    }
    ran = subprocess.run(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", here],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr
    registered, shown, listed, withdrawn, thread, events, ready = answers(ran.stdout)
    assert registered["number"] == shown["number"] == withdrawn["number"], ran.stdout
    assert registered["promises"]
    items = listed["items"]
    assert isinstance(items, list)
    assert registered["number"] in [item["number"] for item in items]
    assert withdrawn["outcome"] == "withdrawn"
    assert "出钞口卡钞" in json.dumps(thread, ensure_ascii=False)
    assert str(registered["number"]) in json.dumps(events)
    assert ready


def test_the_chinese_readme_prints_the_same_lines(lines: str) -> None:
    code = [line for line in lines.splitlines() if not line.startswith("#")]
    chinese = (ROOT / "README.zh-CN.md").read_text("utf-8").splitlines()
    assert [line for line in code if line not in chinese] == []
