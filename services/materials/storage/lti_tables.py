"""Tables of the LTI tool. They belong to no school: the use cases say what an LMS sees, by the unit it stands for."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class LtiPlatform(Base):
    """An LMS that may launch the library, once the department has accepted it for a unit (`org_sourced_id`).

    `deployments` empty: all those of its client id. `version` is its ETag.
    """

    __tablename__ = "lti_platform"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    client_id: Mapped[str]
    name: Mapped[str]
    authorization_endpoint: Mapped[str]
    token_endpoint: Mapped[str | None]
    jwks_uri: Mapped[str]
    deployments: Mapped[list[str]] = mapped_column(ARRAY(Text))
    org_sourced_id: Mapped[str | None]
    state: Mapped[str]
    registered_at: Mapped[dt.datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'accepted', 'disabled')", name="state_known"),
        CheckConstraint("state <> 'accepted' OR org_sourced_id IS NOT NULL", name="accepted_for_an_org"),
        UniqueConstraint("issuer", "client_id"),
    )


class LtiKey(Base):
    """A key pair of ours: the private half sealed (`shared.secret_box`), the public one as a JWK. The newest signs."""

    __tablename__ = "lti_key"
    kid: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]
    public: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime]


class LtiUsed(Base):
    """A nonce a launch came with; it never comes again."""

    __tablename__ = "lti_used"
    platform_id: Mapped[UUID] = mapped_column(ForeignKey("lti_platform.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[dt.datetime]
    __table_args__ = (Index("ix_lti_used_expires_at", "expires_at"),)


class LtiSession(Base):
    """What a launch opened, under the hash of a token that stands in the pages' address: no cookie is needed.

    Either one material is shown (`material_id`), or somebody chooses (`deep_linking`: returnUrl, data, multiple).
    """

    __tablename__ = "lti_session"
    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    platform_id: Mapped[UUID] = mapped_column(ForeignKey("lti_platform.id"))
    deployment: Mapped[str]
    language: Mapped[str]
    material_id: Mapped[UUID | None]
    deep_linking: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    expires_at: Mapped[dt.datetime]
    __table_args__ = (
        CheckConstraint("(material_id IS NULL) <> (deep_linking IS NULL)", name="views_or_chooses"),
        Index("ix_lti_session_expires_at", "expires_at"),
    )
