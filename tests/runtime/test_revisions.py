"""Revisions are read off the files as Alembic reads them, and without it."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from runtime.revisions import SCRIPTS, head, known_revision
from runtime.settings import ROOT

PLAIN = """
revision = "{}"
down_revision = {!r}
"""
TYPED = """
revision: str = "{}"
down_revision: str | Sequence[str] | None = {!r}
"""


def test_the_files_say_what_alembic_finds_in_them() -> None:
    found = ScriptDirectory.from_config(Config(config_args={"script_location": str(SCRIPTS)}))
    assert head() == found.get_current_head()
    assert all(known_revision(each.revision) for each in found.walk_revisions())


@pytest.mark.parametrize("order", [("b", "a", "c"), ("c", "b", "a")])
@pytest.mark.parametrize("form", [PLAIN, TYPED])
def test_the_newest_is_the_one_before_none(
    tmp_path: Path, order: tuple[str, ...], form: str
) -> None:
    (tmp_path / "versions").mkdir()
    assert head(tmp_path) is None
    for place, revision in enumerate(order):
        before = {"a": None, "b": "a", "c": "b"}[revision]
        text = form.format(revision, before)
        (tmp_path / "versions" / f"{place}.py").write_text(text, "utf-8")
    assert head(tmp_path) == "c"
    assert known_revision("a", tmp_path)
    assert not known_revision("d", tmp_path)


@pytest.mark.program
def test_whoever_works_at_the_desk_begins_without_the_library_that_migrates() -> None:
    program = (
        "import sys, worker, web.serving, cli.issues.commands\n"
        "print(*{'alembic', 'sqlalchemy'} & sys.modules.keys())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not ran.stdout.split()
