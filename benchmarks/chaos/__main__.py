"""``python -m benchmarks.chaos``: see benchmarks/README.md."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.chaos.cuts import storms
from benchmarks.chaos.plan import Kind
from benchmarks.chaos.report import write
from benchmarks.chaos.run import Asked, run
from benchmarks.surroundings import fresh_home, hush
from runtime import aio


def main() -> int:
    """Carry out the run that is asked for; 1 if anything is wrong."""
    asked = _arguments()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    console = Console(soft_wrap=True)
    console.print(f"seed {seed}")
    hush()
    with fresh_home("yinuo-chaos-", keep=asked.keep) as home:
        if asked.power_cuts:
            outages = aio.run(storms(seed, asked.power_cuts, home, console))
            reports = [outage.report for outage in outages]
        else:
            bounds = Asked(seed, asked.issues, asked.faults, asked.minutes)
            reports = [aio.run(run(bounds, home / "desk"))]
        for report in reports:
            report.show(console)
        if asked.json:
            write(reports, asked.json)
        if asked.keep:
            console.print(f"kept in {home}")
    return int(any(report.findings for report in reports))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="what is to happen; left out: another each time")
    parser.add_argument("--issues", type=int, default=400)
    parser.add_argument(
        "--faults",
        type=lambda names: [Kind(name) for name in names.split(",") if name],
        default=list(Kind),
        help=f"which kinds, of {','.join(Kind)}",
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="for callers and faults")
    parser.add_argument("--keep", action="store_true", help="leave the desk's home, to look into")
    parser.add_argument("--json", type=Path, help="write the report into a file")
    parser.add_argument("--power-cuts", type=int, help="so many storms with a power cut instead")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
