"""``python -m benchmarks.upgrade``: see benchmarks/README.md."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks.chaos.report import SHOWN, write
from benchmarks.surroundings import fresh_home, hush
from benchmarks.upgrade.run import Drill, run
from benchmarks.upgrade.version import installed, resolved
from domain.errors import SetupError
from runtime import aio


def main() -> int:
    """Carry out the drill that is asked for; 1 if anything is wrong."""
    asked = _arguments()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    console = Console(soft_wrap=True)
    console.print(f"seed {seed}")
    hush()
    begun = time.monotonic()

    def say(what: str) -> None:
        console.print(f"{time.monotonic() - begun:4.0f} s  {what}", markup=False)

    try:
        commit = resolved(asked.version)
        with fresh_home("yinuo-upgrade-", keep=asked.keep) as base:
            base.chmod(0o755)  # the account that PostgreSQL has at root's desk goes through it
            version = installed(commit, asked.tree or base / "tree")
            say(f"{commit[:12]} is installed")
            drill = aio.run(run(version, seed, asked.issues, base, say))
            if asked.keep:
                console.print(f"kept in {base}")
    except SetupError as error:
        console.print(str(error), markup=False)
        return 1
    _show(drill, console)
    if asked.json:
        write([drill.report], asked.json)
    return int(not drill.sound)


def _show(drill: Drill, console: Console) -> None:
    fates = ", ".join(f"{times} {fate}" for fate, times in sorted(drill.fates.items()))
    console.print(f"what Temporal had of each issue after the power cut: {fates}")
    drill.report.show(console)
    console.print(f"{len(drill.left):6}  not at their end")
    audited = [finding for audit in drill.audits for finding in audit.findings]
    console.print(f"{len(audited):6}  found by deep audits")
    for finding in audited[:SHOWN]:
        console.print(f"  {finding.kind}: {finding.issue_id}: {finding.seen}", markup=False)
    for number in drill.left[:SHOWN]:
        console.print(f"  {number} did not come to its end", markup=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upgrade", description=__doc__)
    parser.add_argument(
        "--from",
        dest="version",
        default="d37ad4a",
        metavar="COMMIT",
        help="the earlier version, in this clone's history",
    )
    parser.add_argument("--seed", type=int, help="which issues; left out: another each time")
    parser.add_argument("--issues", type=int, default=60)
    parser.add_argument("--tree", type=Path, help="where to install it, and leave it for the next")
    parser.add_argument("--keep", action="store_true", help="leave the desk's home, to look into")
    parser.add_argument("--json", type=Path, help="write the report into a file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
