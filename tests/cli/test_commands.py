"""The table of commands, and what waits until one of them is called."""

import inspect
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command

from cli.app import COMMANDS, app
from runtime.settings import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_list_of_commands_says_of_each_is_how_its_own_help_begins(name: str) -> None:
    program: Any = get_command(app)
    said = inspect.cleandoc(program.commands[name].help).partition("\n\n")[0]
    assert " ".join(said.split()) == COMMANDS[name].line


@pytest.mark.program
def test_the_list_of_commands_waits_for_no_server_and_no_command() -> None:
    program = (
        "import sys, contextlib\n"
        "from cli.app import app\n"
        "with contextlib.suppress(SystemExit):\n"
        "    app(['--help'])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Open issues, look at them" in ran.stdout
    loaded = set(ran.stderr.split())
    assert "cli" in loaded
    servers = {"temporalio", "asyncpg", "sqlalchemy", "fastapi", "apprise"}
    assert not loaded & (servers | {"starter", "store", "web", "workflows"})
