"""A template as data: which fields a report has, what each accepts, and where its number comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from shared.errors import FieldError, Text

FieldType = Literal["count", "texts"]
Value = int | list[str]

# What the projections of the two event streams can answer; a template may ask for nothing else.
SOURCE_KEYS = frozenset(
    {
        "roster.learners",
        "roster.staff",
        "roster.teachers",
        "roster.classes",
        "roster.enrollments",
        "materials.approved",
    }
)


@dataclass(frozen=True, slots=True)
class Field:
    """`minimum` and `maximum` bound a count, or the number of texts; `max_length` bounds one text, in characters."""

    name: str
    type: FieldType
    label: Text
    required: bool
    minimum: int = 0
    maximum: int | None = None
    max_length: int = 2000
    prefill: str | None = None

    def fault_of(self, value: Any) -> FieldError | None:
        """What is wrong with a value that was typed in; None when it fits."""
        fault = self._fault_of_count(value) if self.type == "count" else self._fault_of_texts(value)
        return None if fault is None else FieldError(f"/values/{self.name}/value", *fault)

    def _fault_of_count(self, value: Any) -> tuple[str, Text] | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return ("value.not_a_count", Text("Phải là số nguyên.", "Must be a whole number."))
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            return ("value.out_of_range", self._range())
        return None

    def _fault_of_texts(self, value: Any) -> tuple[str, Text] | None:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return ("value.not_texts", Text("Phải là danh sách đoạn văn.", "Must be a list of texts."))
        if len(value) < self.minimum or (self.maximum is not None and len(value) > self.maximum):
            return ("value.out_of_range", self._range())
        if any(not item.strip() for item in value):
            return ("value.blank", Text("Có mục để trống.", "One of the texts is blank."))
        if any(len(item) > self.max_length for item in value):
            return (
                "value.too_long",
                Text(f"Mỗi mục tối đa {self.max_length} ký tự.", f"A text has at most {self.max_length} characters."),
            )
        return None

    def _range(self) -> Text:
        what = Text("Giá trị", "The value") if self.type == "count" else Text("Số mục", "The number of texts")
        if self.maximum is None:
            return Text(f"{what.vi} phải từ {self.minimum}.", f"{what.en} must be at least {self.minimum}.")
        return Text(
            f"{what.vi} phải từ {self.minimum} đến {self.maximum}.",
            f"{what.en} must be between {self.minimum} and {self.maximum}.",
        )


@dataclass(frozen=True, slots=True)
class Template:
    """Immutable once loaded: a change is a new version."""

    code: str
    version: int
    title: Text
    source: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


def template_of(document: Mapping[str, Any]) -> Template:
    """Read a template file's document. Raises ValueError with the reason for one that cannot be used."""
    fields = tuple(_field_of(entry) for entry in document["fields"])
    names = [field.name for field in fields]
    if len(set(names)) != len(names):
        raise ValueError(f"template {document['code']}: a field name occurs twice")
    return Template(
        code=document["code"],
        version=int(document["version"]),
        title=_text_of(document["title"]),
        source=document["source"],
        fields=fields,
    )


def _field_of(entry: Mapping[str, Any]) -> Field:
    if entry["type"] not in get_args(FieldType):
        raise ValueError(f"field {entry['name']}: unknown type {entry['type']}")
    prefill = entry.get("prefill")
    if prefill is not None and (prefill not in SOURCE_KEYS or entry["type"] != "count"):
        raise ValueError(f"field {entry['name']}: cannot be prefilled from {prefill}")
    return Field(
        name=entry["name"],
        type=entry["type"],
        label=_text_of(entry["label"]),
        required=bool(entry["required"]),
        minimum=entry.get("min", 0),
        maximum=entry.get("max"),
        max_length=entry.get("maxLength", 2000),
        prefill=prefill,
    )


def _text_of(entry: Mapping[str, str]) -> Text:
    return Text(entry["vi"], entry["en"])
