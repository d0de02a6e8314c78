"""The root of all event data: immutable, camelCase on the wire, unknown fields ignored when read (additive first)."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class EventPart(BaseModel):
    """A structure inside event data."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


class EventData(EventPart):
    """`TYPE` is the CloudEvents type and the NATS subject: `<service>.<noun>.<past-tense>.v<n>`.

    Ids and counts only: never a name of a person, never a mark (PRODUCT rule 11).
    """

    TYPE: ClassVar[str]
