"""Tables: clients with their secrets and grants, and the persons the portal speaks for.

None is a school's record, so none carries row-level security; the proxy never reads any of them.
"""

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db.tables import declarative_base

if TYPE_CHECKING:
    # The base is made at run time, one per service; a type checker needs to see a class.
    class Base(DeclarativeBase): ...
else:
    Base = declarative_base()


class Client(Base):
    """A system that calls us: a vendor's LMS, the department's programs, the portal."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    may_exchange: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    disabled_at: Mapped[dt.datetime | None]


class ClientSecret(Base):
    """SHA-256 of a secret. Two may be valid at once while a client changes over; null `expires_at` is the newest."""

    __tablename__ = "client_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    digest: Mapped[bytes]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    expires_at: Mapped[dt.datetime | None]

    __table_args__ = (Index(None, "client_id"),)


class ClientOrg(Base):
    """A unit that granted the client its data; a grant on a commune or the department covers the schools below."""

    __tablename__ = "client_org"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), primary_key=True)
    org_sourced_id: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))


class Person(Base):
    """One role of a person at one unit. `subject` is the name the portal knows the person by; no other data is kept."""

    __tablename__ = "person"

    subject: Mapped[str] = mapped_column(primary_key=True)
    org_sourced_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
