"""CloudEvents 1.0, structured JSON: what travels on a subject and lies in the outbox.

Extension attributes: `aggregateversion` (the version guard's number, starts at 1, no gaps), `correlationid`, and the
W3C `traceparent`. `subject` is the aggregate, `<noun>:<id>`.
"""

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.event import EventData
from shared.errors import invalid

MEDIA_TYPE = "application/cloudevents+json"


class Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: dt.datetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    aggregateversion: int = Field(ge=1)
    correlationid: str | None = None
    traceparent: str | None = None
    data: dict[str, Any]

    def encode(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


def data_schema(event_type: str) -> str:
    return f"urn:lien-thong:event:{event_type}"


def seal(
    data: EventData,
    *,
    event_id: UUID,
    aggregate: str,
    version: int,
    source: str,
    time: dt.datetime,
    correlation_id: str | None,
    traceparent: str | None,
) -> Envelope:
    return Envelope(
        id=event_id,
        source=source,
        type=data.TYPE,
        subject=aggregate,
        time=time,
        dataschema=data_schema(data.TYPE),
        aggregateversion=version,
        correlationid=correlation_id,
        traceparent=traceparent,
        data=data.model_dump(mode="json", by_alias=True),
    )


def decode(payload: bytes) -> Envelope:
    """Read an envelope; raises `event.malformed` (invalid), which sends the message to the dead letters at once."""
    try:
        return Envelope.model_validate_json(payload)
    except ValidationError as failure:
        raise invalid(
            "event.malformed",
            vi="Thông điệp không đúng dạng CloudEvents 1.0.",
            en="The message is not a CloudEvents 1.0 envelope.",
            faults=failure.error_count(),
        ) from failure
