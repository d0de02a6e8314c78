"""Closed lists a material's metadata is checked against: subjects by grade, types."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from shared.errors import FieldError, Text, invalid

Grade = Literal["6", "7", "8", "9", "10", "11", "12"]


class MaterialType(StrEnum):
    """Kinds of digital materials, in the order of Circular 21/2017/TT-BGDĐT art. 2(2); the codes are our own."""

    E_TEXTBOOK = "e_textbook"
    REFERENCE = "reference"
    TEST = "test"
    PRESENTATION = "presentation"
    DATA_TABLE = "data_table"
    AUDIO = "audio"
    IMAGE = "image"
    VIDEO = "video"
    E_LECTURE = "e_lecture"
    SOFTWARE = "software"
    SIMULATION = "simulation"
    OTHER = "other"


TYPE_NAMES: Mapping[MaterialType, Text] = {
    MaterialType.E_TEXTBOOK: Text("Sách giáo khoa điện tử", "Electronic textbook"),
    MaterialType.REFERENCE: Text("Tài liệu tham khảo", "Reference work"),
    MaterialType.TEST: Text("Bài kiểm tra, đánh giá", "Test or assessment"),
    MaterialType.PRESENTATION: Text("Bản trình chiếu", "Presentation"),
    MaterialType.DATA_TABLE: Text("Bảng dữ liệu", "Data table"),
    MaterialType.AUDIO: Text("Tệp âm thanh", "Audio"),
    MaterialType.IMAGE: Text("Hình ảnh", "Image"),
    MaterialType.VIDEO: Text("Video", "Video"),
    MaterialType.E_LECTURE: Text("Bài giảng điện tử", "E-lecture"),
    MaterialType.SOFTWARE: Text("Phần mềm dạy học", "Teaching software"),
    MaterialType.SIMULATION: Text("Thí nghiệm mô phỏng", "Simulated experiment"),
    MaterialType.OTHER: Text("Học liệu số hóa khác", "Other digitised material"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """In which grades a subject is taught, and as what. `verified`: read in a source, not written from memory."""

    grades: tuple[str, ...]
    kind: Literal["compulsory", "elective", "optional"]
    verified: bool


@dataclass(frozen=True, slots=True)
class Subject:
    code: str
    name: Text
    offers: tuple[Offer, ...]

    @property
    def grades(self) -> frozenset[str]:
        return frozenset(grade for offer in self.offers for grade in offer.grades)


@functools.cache
def subjects() -> Mapping[str, Subject]:
    """Subjects of the 2018 curriculum by code, in the order of the file."""
    document = json.loads(Path(__file__).with_name("curriculum_2018.json").read_text(encoding="utf-8"))
    return {
        entry["code"]: Subject(
            entry["code"],
            Text(entry["vi"], entry["en"]),
            tuple(Offer(tuple(offer["grades"]), offer["kind"], offer["verified"]) for offer in entry["offers"]),
        )
        for entry in document["subjects"]
    }


def check_subjects(subject: str, others: Sequence[str], grades: Sequence[str], *, under: str) -> None:
    """Raise `material.curriculum_mismatch` with every fault; `under` is the JSON Pointer of the object around them.

    The main subject must be taught in every grade; another one in at least one of them.
    """
    faults: list[FieldError] = []
    known = subjects().get(subject)
    if known is None:
        faults.append(_unknown(f"{under}/subject"))
    else:
        faults += [
            FieldError(
                f"{under}/grades/{place}",
                "grade.not_taught",
                Text(
                    f"Môn {known.name.vi} không dạy ở khối {grade}.",
                    f"{known.name.en} is not taught in grade {grade}.",
                ),
            )
            for place, grade in enumerate(grades)
            if grade not in known.grades
        ]
    for place, other in enumerate(others):
        found = subjects().get(other)
        if found is None:
            faults.append(_unknown(f"{under}/otherSubjects/{place}"))
        elif found.grades.isdisjoint(grades):
            faults.append(
                FieldError(
                    f"{under}/otherSubjects/{place}",
                    "grade.not_taught",
                    Text(
                        f"Môn {found.name.vi} không dạy ở khối nào trong các khối đã chọn.",
                        f"{found.name.en} is taught in none of the chosen grades.",
                    ),
                )
            )
    if faults:
        raise invalid(
            "material.curriculum_mismatch",
            vi="Môn học hoặc khối lớp không có trong Chương trình giáo dục phổ thông 2018.",
            en="The subject or a grade is not part of the 2018 curriculum.",
            errors=faults,
        )


def _unknown(pointer: str) -> FieldError:
    return FieldError(
        pointer,
        "subject.unknown",
        Text(
            "Không có mã môn học này. Xem /materials/v1/catalogues/subjects.",
            "There is no subject with this code. See /materials/v1/catalogues/subjects.",
        ),
    )
