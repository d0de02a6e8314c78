"""Shapes of roster records in our own words, made from `domain.records`: a column exists once in the code."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, create_model
from sqlalchemy import RowMapping

from services.sync.api.schemas import Shape
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import RecordType, camel
from services.sync.storage.tables import RECORD_TABLES


class RecordShape(Shape):
    """What every record has. `version` grows by one with each write; `recordedTo` is null for the newest version."""

    sourced_id: str
    school: str = Field(description="The school that owns this copy of the record.")
    status: Literal["active", "tobedeleted"]
    version: int
    recorded_from: dt.datetime
    recorded_to: dt.datetime | None
    last_import_id: UUID


def _shape(record: RecordType) -> type[RecordShape]:
    columns = RECORD_TABLES[record.table].columns
    fields: dict[str, Any] = {}
    for name in record.columns:
        kind = columns[name].type.python_type
        plain: Any = list[str] if kind is list else kind
        fields[name] = (plain | None if columns[name].nullable else plain, Field(alias=camel(name)))
    name = record.table.title().replace("_", "")
    return create_model(f"{name}Record", __base__=RecordShape, **fields)


SHAPES: Mapping[str, type[RecordShape]] = {record.file: _shape(record) for record in EVERY_TYPE}


def shaped(record: RecordType, row: RowMapping) -> RecordShape:
    own = {name: row[name] for name in RecordShape.model_fields if name != "school"}
    values = {camel(name): row[name] for name in record.columns}
    return SHAPES[record.file](**own, **values, school=row["school_sourced_id"])
