import unicodedata

import pytest

from services.materials.domain.catalogue import TYPE_NAMES, MaterialType, check_subjects, subjects
from shared.errors import AppError

GRADES = {"6", "7", "8", "9", "10", "11", "12"}


def test_every_subject_has_names_in_nfc_and_grades_of_secondary_school_without_repeats():
    for code, subject in subjects().items():
        assert code == subject.code
        assert unicodedata.is_normalized("NFC", subject.name.vi)
        assert subject.name.en
        grades = [grade for offer in subject.offers for grade in offer.grades]
        assert len(grades) == len(set(grades))
        assert set(grades) <= GRADES


def test_electives_of_upper_secondary_are_flagged_as_unverified():
    for subject in subjects().values():
        for offer in subject.offers:
            assert offer.verified is (offer.kind != "elective")


def test_every_type_has_a_name():
    assert set(TYPE_NAMES) == set(MaterialType)


def test_each_grade_that_does_not_fit_is_pointed_at():
    with pytest.raises(AppError) as refused:
        check_subjects("natural_science", [], ["6", "10", "12"], under="/metadata")
    assert [fault.pointer for fault in refused.value.errors] == ["/metadata/grades/1", "/metadata/grades/2"]
    check_subjects("technology", [], ["6", "12"], under="")


def test_a_further_subject_is_taught_in_one_of_the_grades():
    with pytest.raises(AppError) as refused:
        check_subjects("mathematics", ["natural_science", "alchemy", "physics"], ["6", "7"], under="")
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [
        ("/otherSubjects/1", "subject.unknown"),
        ("/otherSubjects/2", "grade.not_taught"),
    ]
