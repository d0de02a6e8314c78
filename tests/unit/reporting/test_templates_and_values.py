import copy
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.orgs import LEVELS, OrgKind
from services.reporting.domain.templates import SOURCE_KEYS, template_of
from services.reporting.domain.values import Entry, Held, changed, entered, faults_of_edit, faults_of_submit
from services.reporting.storage.data_files import recipient_rules, template_files

FILES = {(file.document["code"], file.document["version"]): file.document for file in template_files()}
SEMESTER_1 = template_of(FILES["semester-1", 1])
FULL = {
    "learners": Held(prefilled=512),
    "teachers": Held(prefilled=40),
    "classes": Held(prefilled=12),
    "approvedMaterials": Held(prefilled=7),
    "difficulties": Held(entered=["Thiếu phòng máy"]),
    "causes": Held(entered=[]),
    "proposals": Held(entered=[]),
}


def codes(faults):
    return [(fault.pointer, fault.code) for fault in faults]


def test_the_report_of_semester_1_asks_for_the_numbers_and_the_lists_of_the_letters():
    assert {field.name: (field.type, field.prefill) for field in SEMESTER_1.fields} == {
        "learners": ("count", "roster.learners"),
        "teachers": ("count", "roster.teachers"),
        "classes": ("count", "roster.classes"),
        "approvedMaterials": ("count", "materials.approved"),
        "difficulties": ("texts", None),
        "causes": ("texts", None),
        "proposals": ("texts", None),
    }


@pytest.mark.parametrize("document", FILES.values(), ids=str)
def test_every_template_speaks_both_languages_and_names_its_source(document):
    template = template_of(document)
    assert template.source
    for text in (template.title, *(field.label for field in template.fields)):
        assert text.vi
        assert text.en
        assert text.vi != text.en


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [("type", "percent", "unknown type"), ("prefill", "roster.shoes", "prefilled"), ("name", "teachers", "twice")],
)
def test_a_template_that_cannot_be_used_is_refused(place, value, reason):
    document = copy.deepcopy(FILES["semester-1", 1])
    document["fields"][0][place] = value
    with pytest.raises(ValueError, match=reason):
        template_of(document)


def test_recipients_are_data_without_gap_or_overlap_per_level():
    rules = recipient_rules()
    assert {rule["level"] for rule in rules} == set(LEVELS)
    assert {rule["recipient_kind"] for rule in rules} <= set(OrgKind)
    for level in LEVELS:
        of_level = sorted((rule for rule in rules if rule["level"] == level), key=lambda rule: rule["valid_from"])
        assert of_level[-1]["valid_to"] is None
        for rule, following in itertools.pairwise(of_level):
            assert (following["valid_from"] - rule["valid_to"]).days == 1


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("learners", -1, "value.out_of_range"),
        ("learners", ["x"], "value.not_a_count"),
        ("learners", True, "value.not_a_count"),
        ("causes", 3, "value.not_texts"),
        ("causes", [" "], "value.blank"),
        ("causes", ["x" * 2001], "value.too_long"),
        ("causes", ["x"] * 51, "value.out_of_range"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_at_its_place(name, value, code):
    entries = {name: Entry(value, "vì")}
    assert codes(faults_of_edit(SEMESTER_1, {}, entries)) == [(f"/values/{name}/value", code)]


def test_all_faults_of_an_edit_come_at_once():
    entries = {"shoes": Entry(1), "learners": Entry(500), "classes": Entry(-1, "vì"), "causes": Entry([""])}
    assert codes(faults_of_edit(SEMESTER_1, FULL, entries)) == [
        ("/values/shoes", "field.unknown"),
        ("/values/classes/value", "value.out_of_range"),
        ("/values/causes/value", "value.blank"),
        ("/values/learners/reason", "override.reason_missing"),
    ]


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_overriding_a_prefilled_number_needs_a_reason(reason):
    assert codes(faults_of_edit(SEMESTER_1, FULL, {"learners": Entry(500, reason)})) == [
        ("/values/learners/reason", "override.reason_missing")
    ]


def test_an_override_keeps_both_values():
    after = entered(SEMESTER_1, FULL, {"learners": Entry(500, "12 em chuyển đi chưa cập nhật")})["learners"]
    assert after == Held(512, 500, "12 em chuyển đi chưa cập nhật")
    assert (after.value, after.prefilled, after.overridden) == (500, 512, True)


def test_typing_the_prefilled_number_is_no_override():
    assert entered(SEMESTER_1, FULL, {"learners": Entry(512)})["learners"] == Held(512)


def test_taking_a_value_back_returns_to_the_prefilled_number():
    held = FULL | {"learners": Held(512, 500, "vì")}
    assert entered(SEMESTER_1, held, {"learners": Entry(None)})["learners"].value == 512


def test_only_real_changes_are_kept_in_the_history():
    after = entered(SEMESTER_1, FULL, {"learners": Entry(512), "causes": Entry(["Mưa bão"])})
    assert list(changed(FULL.items(), after)) == ["causes"]


def test_everything_that_is_missing_is_listed_at_once():
    assert codes(faults_of_submit(SEMESTER_1, {"learners": Held(prefilled=0)})) == [
        (f"/values/{name}", "value.missing")
        for name in ("teachers", "classes", "approvedMaterials", "difficulties", "causes", "proposals")
    ]


def test_an_empty_list_and_a_zero_are_answers():
    assert faults_of_submit(SEMESTER_1, FULL | {"learners": Held(prefilled=0)}) == []


def test_a_source_that_speaks_after_the_school_makes_a_reason_necessary():
    held = FULL | {"learners": Held(prefilled=512, entered=500)}
    assert codes(faults_of_submit(SEMESTER_1, held)) == [("/values/learners/reason", "override.reason_missing")]


@given(st.one_of(st.none(), st.integers(0, 9)), st.one_of(st.none(), st.integers(0, 9)), st.booleans())
def test_no_number_that_differs_from_its_source_is_submitted_without_a_reason(prefilled, typed, explained):
    held = FULL | {"learners": Held(prefilled, typed, "vì" if explained else None)}
    if not faults_of_submit(SEMESTER_1, held):
        value = held["learners"].value
        assert value is not None
        assert prefilled is None or value == prefilled or explained


def test_templates_ask_only_for_numbers_that_have_a_source():
    asked = {field.prefill for document in FILES.values() for field in template_of(document).fields if field.prefill}
    assert asked <= SOURCE_KEYS
