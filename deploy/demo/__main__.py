"""`python -m deploy.demo load | main-job | package`.

load        register the demo's clients and persons, make the org tree; needs GATEWAY_URL, RUN_DIR and the gateway's
            own environment
main-job    play the main job once through the gateway and print what happened
package     write a OneRoster package for any number of schools to a file
"""

import argparse
import os
import sys
from pathlib import Path

from deploy.demo import main_job
from deploy.demo.client import RefusedError
from deploy.demo.load import load
from deploy.demo.package import SchoolPlan, make_package


def main() -> int:
    options = _parser().parse_args()
    if options.command == "package":
        codes = options.school or [f"demo-{number:04}" for number in range(options.schools)]
        schools = [SchoolPlan(code, learners=options.learners) for code in codes]
        make_package(schools, seed=options.seed, faults=options.faults).write(options.file)
        return 0
    target = Path(os.environ["RUN_DIR"]) / "demo.json"
    try:
        if options.command == "load":
            load(os.environ["GATEWAY_URL"], target)
        else:
            main_job.play(target)
    except RefusedError as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="The demo city and the main job.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("load", help="register the demo's clients and persons, make the org tree")
    commands.add_parser("main-job", help="play the main job once through the gateway")
    package = commands.add_parser("package", help="write a OneRoster 1.2.1 package to a file")
    package.add_argument("file", type=Path, help="where to write the ZIP")
    package.add_argument("--school", action="append", help="code of a lower-secondary school; repeatable")
    package.add_argument("--schools", type=int, default=1, help="number of schools with invented codes (default 1)")
    package.add_argument("--learners", type=int, default=400, help="learners per school (default 400)")
    package.add_argument("--seed", type=int, default=2026, help="the same seed gives the same bytes")
    package.add_argument("--faults", type=int, default=0, help="rows of each kind of fault to add")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
