"""The generated packages: the same bytes for the same seed, the awkward cases inside, faults only when asked for."""

import collections
import csv
import io
import zipfile

from deploy.demo.package import HEADERS, SchoolPlan, make_package
from deploy.demo.pdf import one_page

PLANS = [SchoolPlan("s-1", learners=200), SchoolPlan("s-2", "upper_secondary", learners=120)]


def _tables(content: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
        }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    one, same, other = (make_package(PLANS, seed=seed).zipped() for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_every_file_has_exactly_the_header_of_the_standard():
    with zipfile.ZipFile(io.BytesIO(make_package(PLANS).zipped())) as archive:
        for name, header in HEADERS.items():
            assert archive.read(f"{name}.csv").decode().split("\r\n")[0] == header


def test_the_cases_that_break_naive_matching_are_always_inside():
    tables = _tables(make_package(PLANS).zipped())
    names = collections.Counter((row["familyName"], row["middleName"], row["givenName"]) for row in tables["users"])
    classes = collections.Counter(row["userSourcedId"] for row in tables["enrollments"] if row["role"] == "student")
    schools = collections.defaultdict(set)
    for row in tables["roles"]:
        schools[row["userSourcedId"]].add(row["orgSourcedId"])
    assert max(names.values()) >= 2
    assert max(classes.values()) == 2
    assert [person for person, at in schools.items() if len(at) == 2] == ["s-1-gv-000"]


def test_every_reference_resolves_unless_faults_are_asked_for():
    def dangling(content: bytes) -> int:
        tables = _tables(content)
        classes, users = ({row["sourcedId"] for row in tables[name]} for name in ("classes", "users"))
        return sum(
            row["classSourcedId"] not in classes or row["userSourcedId"] not in users for row in tables["enrollments"]
        )

    assert dangling(make_package(PLANS).zipped()) == 0
    assert dangling(make_package(PLANS, faults=5).zipped()) == 15


def test_learners_are_spread_over_the_grades_of_the_level():
    tables = _tables(make_package(PLANS).zipped())
    grades = collections.Counter(row["grades"] for row in tables["users"] if row["grades"])
    assert grades == {"6": 50, "7": 50, "8": 50, "9": 50, "10": 40, "11": 40, "12": 40}


def test_the_demo_pdf_is_a_pdf_whose_cross_references_are_right():
    content = one_page("Tap hop (so tu nhien)")
    start = int(content.split(b"startxref\n")[1].split(b"\n")[0])
    offsets = [int(line[:10]) for line in content[start:].split(b"\n")[3:9]]
    assert content.startswith(b"%PDF-1.4")
    assert [content[place:].split(b" ")[0] for place in offsets] == [b"1", b"2", b"3", b"4", b"5", b"6"]
