"""The table of commands, and what waits until one of them is called."""

import inspect
import subprocess
import sys

import pytest

from cli.app import COMMANDS, Later
from runtime.settings import ROOT


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_what_the_list_of_commands_says_of_each_is_how_its_own_help_begins(command: Later) -> None:
    said = inspect.cleandoc(command.itself().help).partition("\n\n")[0]
    assert " ".join(said.split()) == command.help


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
    assert not loaded & {"temporalio", "asyncpg", "fastapi", "starter", "store", "web", "workflows"}
