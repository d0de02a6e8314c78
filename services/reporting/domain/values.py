"""What stands in a report: prefilled numbers with their origin, what people typed, and the reason where they differ.

Every number has an origin, and overriding a prefilled number needs a reason; both values are kept (PRODUCT rule 10).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.reporting.domain.templates import Field, Template, Value
from shared.errors import FieldError, Text


@dataclass(frozen=True, slots=True)
class Held:
    """One field of one submission: the number from the sources, what was typed, and why they differ."""

    prefilled: int | None = None
    entered: Value | None = None
    reason: str | None = None

    @property
    def value(self) -> Value | None:
        return self.prefilled if self.entered is None else self.entered

    @property
    def overridden(self) -> bool:
        return self.entered is not None and self.prefilled is not None and self.entered != self.prefilled


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person asks to write into one field; `value` None takes the typed value back."""

    value: Value | None
    reason: str | None = None


def entered(template: Template, held: Mapping[str, Held], entries: Mapping[str, Entry]) -> dict[str, Held]:
    """The touched fields after the edit. The faults of all entries are raised by the caller (`faults_of_edit`)."""
    after = {}
    for name, entry in entries.items():
        before = held.get(name, Held())
        # A value equal to the prefilled number is no override: the number stays with its source.
        typed = None if entry.value == before.prefilled and before.prefilled is not None else entry.value
        reason = (entry.reason or "").strip() or None
        after[name] = Held(before.prefilled, typed, reason if typed is not None else None)
    return {name: value for name, value in after.items() if template.field(name) is not None}


def faults_of_edit(template: Template, held: Mapping[str, Held], entries: Mapping[str, Entry]) -> list[FieldError]:
    """Everything that is wrong with an edit, all at once."""
    faults = []
    for name, entry in entries.items():
        field = template.field(name)
        if field is None:
            faults.append(_unknown(name))
        elif entry.value is not None and (fault := field.fault_of(entry.value)) is not None:
            faults.append(fault)
    return faults + _unexplained(entered(template, held, entries))


def faults_of_submit(template: Template, held: Mapping[str, Held]) -> list[FieldError]:
    """Everything that keeps a report from being submitted: missing required fields, numbers that changed underneath.

    A source may deliver its number after someone typed another: then the difference needs its reason now.
    """
    missing = [_missing(field) for field in template.fields if field.required and _is_missing(held.get(field.name))]
    return missing + _unexplained(held)


def _is_missing(held: Held | None) -> bool:
    return held is None or held.value is None


def _unexplained(held: Mapping[str, Held]) -> list[FieldError]:
    return [_reason_missing(name, value) for name, value in held.items() if value.overridden and not value.reason]


def _reason_missing(name: str, held: Held) -> FieldError:
    return FieldError(
        f"/values/{name}/reason",
        "override.reason_missing",
        Text(
            f"Giá trị khác số liệu có sẵn ({held.prefilled}): cần nêu lý do.",
            f"The value differs from the prefilled number ({held.prefilled}): a reason is needed.",
        ),
    )


def _missing(field: Field) -> FieldError:
    return FieldError(
        f"/values/{field.name}",
        "value.missing",
        Text(f"Chưa có: {field.label.vi}.", f"Missing: {field.label.en}."),
    )


def _unknown(name: str) -> FieldError:
    return FieldError(
        f"/values/{name}", "field.unknown", Text("Biểu mẫu không có mục này.", "The template has no such field.")
    )


def changed(before: Iterable[tuple[str, Held]], after: Mapping[str, Held]) -> dict[str, tuple[Held, Held]]:
    """The fields whose typed value or reason is really different, for the history."""
    return {name: (old, after[name]) for name, old in before if name in after and after[name] != old}
