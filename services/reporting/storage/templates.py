"""Templates and recipient rules in the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.storage.data_files import TemplateFile
from services.reporting.storage.tables import RecipientRule, TemplateRow


async def insert_template(session: AsyncSession, file: TemplateFile) -> None:
    """Insert the version unless it is there already."""
    await session.execute(
        insert(TemplateRow)
        .values(
            code=file.document["code"],
            version=file.document["version"],
            document=file.document,
            sha256=file.sha256,
        )
        .on_conflict_do_nothing()
    )


async def template_hash(session: AsyncSession, code: str, version: int) -> bytes | None:
    return await session.scalar(select(TemplateRow.sha256).filter_by(code=code, version=version))


async def insert_recipient_rules(session: AsyncSession, rules: Sequence[dict[str, Any]]) -> None:
    """Insert rules that are missing; what an operator has changed stays."""
    await session.execute(insert(RecipientRule).values(list(rules)).on_conflict_do_nothing())


async def template_document(session: AsyncSession, code: str, version: int | None) -> dict[str, Any] | None:
    """The document of a version, or of the newest one."""
    query = select(TemplateRow.document).filter_by(code=code).order_by(TemplateRow.version.desc()).limit(1)
    return await session.scalar(query if version is None else query.filter_by(version=version))


async def template_documents(
    session: AsyncSession, after: tuple[str, int] | None, limit: int
) -> Sequence[dict[str, Any]]:
    query = select(TemplateRow.document).order_by(TemplateRow.code, TemplateRow.version).limit(limit)
    if after is not None:
        query = query.where(text("(code, version) > (:code, :version)")).params(code=after[0], version=after[1])
    return (await session.scalars(query)).all()
