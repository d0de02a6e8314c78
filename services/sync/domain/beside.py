"""What the JSON object of a record holds of other records: a user's roles, a line item's score scale and objectives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.sync.domain.gradebook_records import (
    ASSESSMENT_LINE_ITEM,
    ASSESSMENT_LINE_ITEM_OBJECTIVE,
    ASSESSMENT_RESULT,
    ASSESSMENT_RESULT_OBJECTIVE,
    LINE_ITEM,
    LINE_ITEM_OBJECTIVE,
    LINE_ITEM_SCORE_SCALE,
    RESULT,
    RESULT_OBJECTIVE,
    RESULT_SCORE_SCALE,
)
from services.sync.domain.records import ROLE, USER, RecordType, camel


@dataclass(frozen=True, slots=True)
class Beside:
    """`record` rows in `member` of the `owner`'s object; `key` are the columns that tell an owner's rows apart."""

    owner: RecordType
    member: str
    shape: type
    record: RecordType
    column: str
    key: tuple[str, ...]

    @property
    def owner_field(self) -> str:
        return camel(self.column)

    def objects_of(self, given: Any) -> Iterator[Mapping[str, Any] | None]:
        """One object per row, as its collection would have it; None for what is none."""
        for each in given if isinstance(given, list) else [given]:
            if not isinstance(each, Mapping):
                yield None
            elif self.member == "scoreScale":
                yield {"scoreScaleSourcedId": each.get("sourcedId")}
            elif self.member == "learningObjectiveSet":
                yield from _objectives(each)
            else:
                yield each

    def new_id(self, owner: str, school: str, key: tuple[Any, ...]) -> str:
        """The id of a row that has none of its own; the same for the same row."""
        if self.record is ROLE:
            return f"{owner}/{school}/{key[1]}"
        return str(uuid5(NAMESPACE_URL, "/".join((owner, school, *map(str, key)))))


def _objectives(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | None]:
    """Of a line item the ids, of a result the ids with their scores."""
    source = entry.get("source")
    found = entry.get("learningObjectiveIds", entry.get("learningObjectiveResults"))
    if not isinstance(found, list):
        yield None
        return
    for each in found:
        if isinstance(each, Mapping):
            yield {"source": source, **each}
        else:
            yield {"source": source, "learningObjectiveId": each}


_OBJECTIVE_KEY = ("source", "learning_objective_id")
BESIDE = (
    Beside(USER, "roles", list, ROLE, "user_sourced_id", ("role_type", "role")),
    Beside(LINE_ITEM, "scoreScale", dict, LINE_ITEM_SCORE_SCALE, "line_item_sourced_id", ("score_scale_sourced_id",)),
    Beside(RESULT, "scoreScale", dict, RESULT_SCORE_SCALE, "result_sourced_id", ("score_scale_sourced_id",)),
    Beside(LINE_ITEM, "learningObjectiveSet", list, LINE_ITEM_OBJECTIVE, "line_item_sourced_id", _OBJECTIVE_KEY),
    Beside(RESULT, "learningObjectiveSet", list, RESULT_OBJECTIVE, "result_sourced_id", _OBJECTIVE_KEY),
    Beside(
        ASSESSMENT_LINE_ITEM,
        "learningObjectiveSet",
        list,
        ASSESSMENT_LINE_ITEM_OBJECTIVE,
        "assessment_line_item_sourced_id",
        _OBJECTIVE_KEY,
    ),
    Beside(
        ASSESSMENT_RESULT,
        "learningObjectiveSet",
        list,
        ASSESSMENT_RESULT_OBJECTIVE,
        "assessment_result_sourced_id",
        _OBJECTIVE_KEY,
    ),
)
BESIDE_OF: Mapping[RecordType, Beside] = {each.record: each for each in BESIDE}
