"""The registry of issued codes: the department loads codes and says how strictly they bind."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import RowMapping

from services.sync.domain.registry import RegistryKind, RegistryMode, RegistryReader
from services.sync.storage import orgs, registry
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Text, forbidden, invalid

LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an upload of codes did."""

    reader: RegistryReader
    added: int
    kind: RowMapping


async def load_codes(uow: UnitOfWork, principal: Principal, kind: RegistryKind, path: Path, *, is_csv: bool) -> Loaded:
    """Add the codes of a file; codes that are known stay as they are. Raises `registry.notDepartment`."""
    await require_department(uow, principal)
    reader = RegistryReader()
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        codes = _codes(reader, lines, is_csv=is_csv)
        added = await registry.load_codes(uow.session, kind.value, codes, await uow.now())
    return Loaded(reader, added, (await registry.registry_kinds(uow.session))[kind.value])


def _codes(reader: RegistryReader, lines: Iterable[str], *, is_csv: bool) -> Iterator[str]:
    return reader.csv_codes(lines) if is_csv else reader.ndjson_codes(lines)


async def decide_mode(
    uow: UnitOfWork, principal: Principal, kind: RegistryKind, mode: RegistryMode, reason: str
) -> RowMapping:
    """Say how strictly a kind binds, with a reason. Raises `registry.notDepartment`, `reason.missing`."""
    await require_department(uow, principal)
    given = require_reason(reason)
    await registry.decide_mode(
        uow.session, kind.value, mode.value, reason=given, who=principal.subject, now=await uow.now()
    )
    return (await registry.registry_kinds(uow.session))[kind.value]


async def registry_kinds(uow: UnitOfWork) -> Mapping[str, RowMapping]:
    return await registry.registry_kinds(uow.session)


def require_reason(reason: str) -> str:
    """The reason without blanks around it. Raises `reason.missing`."""
    given = reason.strip()
    if not given or len(given) > LONGEST_REASON:
        said = Text("Nêu lý do.", "Give the reason.")
        raise invalid("reason.missing", vi=said.vi, en=said.en, errors=[FieldError("/reason", "reason.missing", said)])
    return given


async def require_department(uow: UnitOfWork, principal: Principal) -> None:
    """Raises `registry.notDepartment`, or `role.missing` for a person who is no officer of it."""
    if principal.kind == "user":
        principal.require_role("department_officer")
    if not await orgs.covers_everything(uow.session, principal.orgs):
        raise forbidden(
            "registry.notDepartment",
            vi="Chỉ Sở được ghi danh bạ mã.",
            en="Only the department writes the registry of codes.",
        )
