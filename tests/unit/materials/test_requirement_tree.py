import json
from uuid import UUID

import pytest

from services.materials.domain.case import read_case, write_case
from services.materials.domain.requirement_csv import read_csv, write_csv
from services.materials.domain.requirement_tree import changes_between, faults_of_codes, paths_of
from shared.errors import AppError

ROOT = "11111111-1111-4111-8111-111111111111"
HEADER = "code,parent,subject,grade,textVi,textEn\n"
SMALL = HEADER + "T6,,mathematics,6,Toán 6,Mathematics 6\nT6.1,T6,mathematics,6,Số tự nhiên,\n"


def package(**changes):
    items = [
        {"identifier": str(UUID(int=n)), "uri": f"urn:{n}", "humanCodingScheme": code, "fullStatement": code, **more}
        for n, (code, more) in enumerate({"A": {"subject": ["Toán"]}, "A.1": {"educationLevel": ["06"]}}.items(), 1)
    ]
    links = [
        {
            "associationType": "isChildOf",
            "originNodeURI": {"identifier": str(UUID(int=child))},
            "destinationNodeURI": {"identifier": parent},
        }
        for child, parent in ((1, ROOT), (2, str(UUID(int=1))))
    ]
    document = {"identifier": ROOT, "title": "Ví dụ", "caseVersion": "1.1", "somethingElse": 1}
    return {"CFDocument": document, "CFItems": items, "CFAssociations": links, "CFRubrics": []} | changes


def codes_of(refused):
    return {(fault.pointer, fault.code) for fault in refused.value.errors}


def test_a_case_package_comes_back_equal():
    given = package()
    framework = read_case(json.dumps(given).encode())
    assert write_case(framework.package, [item.case for item in framework.items]) == given
    assert paths_of(framework.items) == {"A": ("A",), "A.1": ("A", "A.1")}
    assert [(item.subject, item.grades) for item in framework.items] == [("mathematics", ()), (None, ("6",))]


def test_a_package_of_case_1_0_says_no_version_and_is_read():
    document = {"identifier": ROOT, "title": "Ví dụ"}
    assert read_case(json.dumps(package(CFDocument=document)).encode()).title == "Ví dụ"


def test_an_association_to_nowhere_is_named_by_its_place():
    given = package()
    given["CFAssociations"][1]["destinationNodeURI"]["identifier"] = str(UUID(int=9))
    with pytest.raises(AppError) as refused:
        read_case(json.dumps(given).encode())
    assert codes_of(refused) == {("/CFAssociations/1", "association.invalid")}


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"\xff", b"[" * 100_000, b'{"CFItems": [1]}', b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": NaN}'],
)
def test_what_is_no_package_is_refused(raw):
    with pytest.raises(AppError, match=r"requirements\.invalid"):
        read_case(raw)


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("mark", [",", ";"])
def test_csv_is_read_with_and_without_bom_and_with_both_separators(bom, mark):
    framework = read_csv((bom + SMALL.replace(",", mark)).encode(), title="Ví dụ")
    assert [item.code for item in framework.items] == ["T6", "T6.1"]
    assert framework == read_csv(write_csv(framework.items).encode(), title="Ví dụ")


def test_a_framework_of_csv_is_a_case_package_of_the_same_tree():
    framework = read_csv(SMALL.encode(), title="Ví dụ")
    again = read_case(json.dumps(write_case(framework.package, [item.case for item in framework.items])).encode())
    assert paths_of(again.items) == paths_of(framework.items)


def test_every_fault_of_a_tree_is_told_with_its_line():
    rows = "A,B,,,a,\nB,A,,,b,\nC,X,,,c,\nC,,alchemy,5,c,\nD,,,,,\n"
    with pytest.raises(AppError) as refused:
        paths_of(read_csv((HEADER + rows).encode(), title="Ví dụ").items)
    assert codes_of(refused) == {
        ("/lines/2", "tree.cycle"),
        ("/lines/3", "tree.cycle"),
        ("/lines/4", "parent.unknown"),
        ("/lines/5", "code.repeated"),
        ("/lines/5", "subject.unknown"),
        ("/lines/5", "grade.unknown"),
        ("/lines/6", "text.missing"),
    }


def test_an_import_tells_what_it_adds_changes_and_ends():
    before = {item.code: item for item in read_csv(SMALL.encode(), title="Ví dụ").items}
    after = read_csv((HEADER + "T6,,mathematics,6,Toán lớp 6,\nT6.2,T6,,6,Phân số,\n").encode(), title="Ví dụ").items
    changes = changes_between(before, after)
    assert (changes.added, changes.changed, changes.ended) == (("T6.2",), ("T6",), ("T6.1",))
    assert changes_between(before, tuple(before.values())).changed == ()


def test_a_code_of_another_subject_or_grade_is_pointed_at():
    known: dict[str, list[tuple[str | None, list[str]]]] = {"T6": [("mathematics", ["6"])], "ANY": [(None, [])]}
    faults = faults_of_codes(
        ["T6", "ANY", "X"], known, subjects=frozenset({"physics"}), grades=frozenset({"6"}), under="/metadata"
    )
    assert [(fault.pointer, fault.code) for fault in faults] == [
        ("/metadata/requirements/0", "requirement.other_subject"),
        ("/metadata/requirements/2", "requirement.unknown"),
    ]
