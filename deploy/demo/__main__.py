"""`python -m deploy.demo load | main-job | library | package | packages`.

load        register the demo's clients and persons, make the org tree; needs GATEWAY_URL, RUN_DIR and the gateway's
            own environment
main-job    play the main job once through the gateway and print what happened
library     play a material's way from draft to the city's shared shelf
package     write a OneRoster package for any number of schools to a file
packages    write a package per school and night to a folder, with `orgs.json` (bodies for the org tree) and
            `cases.json` (who is which awkward case)
"""

import argparse
import json
import os
import sys
from pathlib import Path

from deploy.demo import library, main_job
from deploy.demo.city import DEPARTMENT, orgs
from deploy.demo.client import RefusedError
from deploy.demo.load import load
from deploy.demo.nightly import nights, plan, plans
from deploy.demo.package import SchoolPlan, make_package


def main() -> int:
    options = _parser().parse_args()
    if options.command == "package":
        codes = options.school or [f"demo-{number:04}" for number in range(options.schools)]
        schools = [SchoolPlan(code, learners=options.learners) for code in codes]
        make_package(schools, seed=options.seed, faults=options.faults).write(options.file)
        return 0
    if options.command == "packages":
        _write_packages(options)
        return 0
    target = Path(os.environ.get("RUN_DIR", ".run")) / "demo.json"
    try:
        if options.command == "load":
            load(os.environ["GATEWAY_URL"], target)
        elif options.command == "library":
            library.play(target)
        else:
            main_job.play(target)
    except RefusedError as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    return 0


def _write_packages(options: argparse.Namespace) -> None:
    taught, learners = options.subject_classes, options.learners
    schools = plans(options.schools, learners, taught)
    if options.school:
        schools = [plan(code, learners=learners, subject_classes=taught) for code in options.school]
    cases = {}
    for night in nights(
        schools, days=options.days, seed=options.seed, school_year=options.school_year, delta=options.delta
    ):
        folder = options.out / f"night-{night.number:02}"
        folder.mkdir(parents=True, exist_ok=True)
        night.package.write(folder / f"{night.school.sourced_id}.zip")
        cases[night.school.sourced_id] = night.cases.as_json()
    for name, document in (("cases", cases), ("orgs", [_org(each) for each in schools])):
        (options.out / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _org(school: SchoolPlan) -> dict[str, object]:
    known = {str(org["sourcedId"]): org for org in orgs()}
    invented = {
        "sourcedId": school.sourced_id,
        "kind": "school",
        "name": f"Trường {school.sourced_id}",
        "level": school.level,
        "parents": [{"sourcedId": DEPARTMENT}],
    }
    return known.get(school.sourced_id, invented)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="The demo city and the main job.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("load", help="register the demo's clients and persons, make the org tree")
    commands.add_parser("main-job", help="play the main job once through the gateway")
    commands.add_parser("library", help="play a material's way from draft to the city's shared shelf")
    package = commands.add_parser("package", help="write a OneRoster 1.2.1 package to a file")
    package.add_argument("file", type=Path, help="where to write the ZIP")
    package.add_argument("--school", action="append", help="code of a lower-secondary school; repeatable")
    package.add_argument("--schools", type=int, default=1, help="number of schools with invented codes (default 1)")
    package.add_argument("--learners", type=int, default=400, help="learners per school (default 400)")
    package.add_argument("--seed", type=int, default=2026, help="the same seed gives the same bytes")
    package.add_argument("--faults", type=int, default=0, help="rows of each kind of fault to add")
    _packages(commands.add_parser("packages", help="write a package per school and night to a folder"))
    return parser


def _packages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder for night-01/<school>.zip, night-02/…")
    parser.add_argument("--schools", type=_positive, default=3, help="schools of the demo city first (default 3)")
    parser.add_argument("--school", action="append", help="code of a lower-secondary school instead; repeatable")
    parser.add_argument("--learners", type=_positive, default=400, help="learners per school (default 400)")
    parser.add_argument("--subject-classes", type=int, help="classes by subject per homeroom (default every subject)")
    parser.add_argument("--days", type=_positive, default=1, help="nights in a row, each changing a little (default 1)")
    parser.add_argument("--delta", action="store_true", help="packages after the first night hold only the changes")
    parser.add_argument("--seed", type=int, default=2026, help="the same seed gives the same bytes")
    parser.add_argument("--school-year", type=int, default=2027, help="the ending year (default 2027)")


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
