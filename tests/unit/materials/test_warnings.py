import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.domain.fingerprint import SIZE, likeness, sketch_of
from services.materials.domain.warnings import TEXTS, personal_data


@pytest.mark.parametrize(
    ("text", "code", "count"),
    [
        ("Liên hệ 0912345678 hoặc +84 912 345 679", "personal.phone", 2),
        ("CCCD: 079209012345.", "personal.citizen_id", 1),
        ("1. Nguyễn Thị Ánh Dương 6A 02/09/2012\n2. Trần Văn Bình 6A 3-10-2012", "personal.name_and_birth_date", 2),
        ("Đỗ Đức Ứng, sinh ngày 15/01/2011", "personal.name_and_birth_date", 1),
    ],
)
def test_what_looks_like_personal_data_is_counted_and_not_quoted(text, code, count):
    (warned,) = personal_data(text, 1)
    assert (warned.code, warned.count, warned.position) == (code, count, 1)
    assert not any(word in warned.text.vi for word in text.split() if word[0].isupper() and len(word) > 4)


@pytest.mark.parametrize(
    "text",
    [
        "Ngày 02/09/1945 là ngày Quốc khánh.",
        "Kết quả là 123456789012345 và 3,14159265358979.",
        "Trang 0912, bài 345, số 678.",
        "Mã ISBN 9786040123456",
        "Bài 1.2.3.4.5.6.7.8.9.0",
    ],
)
def test_dates_and_long_numbers_of_a_lesson_are_left_alone(text):
    assert list(personal_data(text, 1)) == []


def text_of(seed: int, length: int = 400) -> list[str]:
    chance = random.Random(seed)
    return [f"từ{chance.randrange(3000)}" for _ in range(length)]


def test_the_same_text_is_alike_and_another_is_not():
    one, other = text_of(1), text_of(2)
    changed = list(one)
    for place in range(0, len(one), 80):
        changed[place] = "khác"
    sketch = sketch_of(" ".join(one))
    assert len(sketch) == SIZE
    assert likeness(sketch, sketch_of(" ".join(one).upper())) == 1.0
    assert 0.75 < likeness(sketch, sketch_of(" ".join(changed))) < 1.0
    assert likeness(sketch, sketch_of(" ".join(other))) == 0.0


def test_a_short_text_is_compared_with_nothing():
    assert sketch_of("Phân số bằng nhau") == []


@given(st.text(max_size=3000))
def test_any_text_has_a_sketch_in_order(text):
    sketch = sketch_of(text)
    assert sketch == sorted(set(sketch))
    assert likeness(sketch, sketch) == (1.0 if sketch else 0.0)


def test_every_warning_has_a_text_in_both_languages():
    assert all(text.vi and text.en for text in TEXTS.values())
