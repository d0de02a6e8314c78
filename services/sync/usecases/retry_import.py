"""Root causes of an import, and trying again what waited for them."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping

from services.sync.domain.import_state import State
from services.sync.storage import causes, waiting
from services.sync.storage.imports import lock_import
from services.sync.storage.tables import Import
from services.sync.usecases.hold_import import unknown_import
from services.sync.usecases.queries import get_import
from services.sync.usecases.scope import registry_for
from shared.auth import Principal
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import conflict
from shared.ids import new_id

_RETRIED = (State.COMMITTED, State.REJECTED)


async def list_causes(
    uow: UnitOfWork, principal: Principal, import_id: UUID, *, after: Sequence[int] | None, limit: int
) -> Sequence[RowMapping]:
    """Those that cost most rows first. Raises `import.unknown`."""
    view = await get_import(uow, principal, import_id)
    return await causes.list_causes(uow.session, import_id, whole=view.is_whole, after=after, limit=limit)


async def retry_import(uow: UnitOfWork, principal: Principal, import_id: UUID, cause: int | None) -> Import:
    """Make a new import of the rows that waited (for `cause`, where one is named); the worker goes on from here.

    It writes and never ends anything, and commits by itself unless it is held. What is still missing is refused again
    and waits on there. Raises `import.unknown`, `import.wrongState`, `import.nothingWaits`.
    """
    seen = await get_import(uow, principal, import_id)
    if not seen.is_whole:
        raise unknown_import()
    first = await lock_import(uow.session, import_id)
    assert first is not None
    if first.state not in _RETRIED:
        raise conflict(
            "import.wrongState",
            vi=f"Gói đang ở trạng thái {first.state}; chỉ gói đã kết thúc mới chạy lại được.",
            en=f"The import is {first.state}; only a final one can be tried again.",
            state=first.state,
        )
    row = _next(first, principal, await uow.now())
    uow.session.add(row)
    await uow.session.flush()
    _, schools = await registry_for(uow, row.orgs)
    taken = await waiting.take_waiting(uow.session, first, row.id, schools=schools, cause=cause)
    if not taken:
        raise conflict(
            "import.nothingWaits",
            vi="Không còn dòng nào của gói này chờ chạy lại; nếu có lỗi, hãy sửa và gửi gói mới.",
            en="No row of this import waits to be tried again; correct what is wrong and send a new package.",
        )
    row.rows_total = taken
    await uow.session.flush()
    await uow.session.refresh(row)
    return row


def _next(first: Import, principal: Principal, now: dt.datetime) -> Import:
    """Nothing was uploaded, hence size 0; the hash is that of the package the rows came in."""
    return Import(
        id=new_id(),
        received_at=now,
        client_id=principal.client_id,
        subject=principal.subject,
        orgs=sorted(principal.orgs),
        state=State.RECEIVED.value,
        lenient=first.lenient,
        auto_commit=True,
        oneroster_version=first.oneroster_version,
        modes={name: mode if mode == "absent" else "delta" for name, mode in first.modes.items()},
        sha256=first.sha256,
        size_bytes=0,
        retry_of=first.id,
    )


async def forget_waiting(units: UnitsOfWork, kept: dt.timedelta) -> int:
    """Delete rows that waited longer than `kept`."""
    async with units.begin(EVERYTHING) as uow:
        return await waiting.forget_waiting(uow.session, await uow.now() - kept)
