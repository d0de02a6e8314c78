"""Connectors that pull: the department names providers, sees their runs, and starts one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import RowMapping

from services.sync.domain.pull import RunKind, RunState, Schedule
from services.sync.storage import pulls
from services.sync.storage.connector_tables import Pull, PullRun
from services.sync.usecases.connectors import require_department, require_schools, secret_needed
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict, not_found
from shared.secret_box import SecretBox


@dataclass(frozen=True, slots=True)
class PullValues:
    """A connector as the department describes it; `secret` is None to keep the one that is there."""

    client_id: str
    base_url: str
    token_url: str
    oauth_client_id: str
    secret: str | None
    oneroster_version: str
    schools: tuple[str, ...]
    page_size: int
    schedule: Schedule
    auto_commit: bool
    lenient: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class PullView:
    """A connector and its state: the newest finished run, the newest full one, a delta's beginning, what waits."""

    pull: Pull
    last: RowMapping | None
    full: RowMapping | None
    base: dt.datetime | None
    open_run: PullRun | None


async def put_pull(
    uow: UnitOfWork, principal: Principal, box: SecretBox, pull_id: str, values: PullValues
) -> tuple[Pull, bool]:
    """Write a connector; answers whether it is new.

    Raises `connector.notDepartment`, `connector.noKey`, `connector.schoolUnknown`, `connector.secretNeeded`.
    """
    await require_department(uow, principal)
    box.require_key()
    await require_schools(uow, values.schools)
    values = replace(values, schools=tuple(sorted(set(values.schools))))
    now = await uow.now()
    pull = await pulls.find_pull(uow.session, pull_id, lock=True)
    is_new = pull is None
    if pull is None:
        pull = Pull(id=pull_id, secret="", version=0, counts_since=now)  # set below
    read = (values.base_url, values.oneroster_version, list(values.schools))
    if values.secret is not None:
        pull.secret = box.seal(f"pull:{pull_id}", values.secret)
    elif is_new or (pull.token_url, pull.oauth_client_id) != (values.token_url, values.oauth_client_id):
        # A secret goes only where the one who knows it sends it.
        raise secret_needed("/oauthClientSecret")
    if not is_new and (pull.base_url, pull.oneroster_version, pull.schools) != read:
        pull.counts_since = now
    _write(pull, values)
    pull.version += 1
    pull.updated_by, pull.updated_at = principal.subject, now
    pull.next_run_at = values.schedule.next_after(now)
    uow.session.add(pull)
    await uow.session.flush()
    return pull, is_new


def _write(pull: Pull, values: PullValues) -> None:
    pull.client_id, pull.base_url, pull.token_url = values.client_id, values.base_url, values.token_url
    pull.oauth_client_id, pull.oneroster_version = values.oauth_client_id, values.oneroster_version
    pull.schools, pull.page_size = list(values.schools), values.page_size
    pull.run_at, pull.full_on = values.schedule.at, values.schedule.full_on
    pull.auto_commit, pull.lenient, pull.enabled = values.auto_commit, values.lenient, values.enabled


async def get_pull(uow: UnitOfWork, principal: Principal, pull_id: str, *, lock: bool = False) -> Pull:
    """Raises `connector.notDepartment`, `pull.unknown`."""
    await require_department(uow, principal)
    pull = await pulls.find_pull(uow.session, pull_id, lock=lock)
    if pull is None:
        raise not_found("pull.unknown", vi="Không có kết nối kéo này.", en="There is no such pull.")
    return pull


async def view_pull(uow: UnitOfWork, pull: Pull) -> PullView:
    session = uow.session
    return PullView(
        pull,
        await pulls.last_run(session, pull.id),
        await pulls.last_full(session, pull),
        await pulls.delta_base(session, pull),
        await pulls.open_run(session, pull.id),
    )


async def list_pulls(uow: UnitOfWork, principal: Principal, after: str, limit: int) -> list[PullView]:
    await require_department(uow, principal)
    return [await view_pull(uow, pull) for pull in await pulls.list_pulls(uow.session, after, limit)]


async def delete_pull(uow: UnitOfWork, principal: Principal, pull_id: str) -> None:
    """What was imported stays; a run that is under way hands in nothing."""
    await pulls.delete_pull(uow.session, await get_pull(uow, principal, pull_id, lock=True))


async def list_runs(
    uow: UnitOfWork, principal: Principal, pull_id: str, before: int | None, limit: int
) -> Sequence[RowMapping]:
    await get_pull(uow, principal, pull_id)
    return await pulls.list_runs(uow.session, pull_id, before=before, limit=limit)


async def start_run(uow: UnitOfWork, principal: Principal, pull_id: str, kind: RunKind) -> RowMapping:
    """Queue a run for now. Raises `pull.disabled`, `pull.running`, `pull.fullFirst` (conflict)."""
    pull = await get_pull(uow, principal, pull_id, lock=True)
    if not pull.enabled:
        raise conflict("pull.disabled", vi="Kết nối đang tắt.", en="The pull is disabled.")
    if await pulls.open_run(uow.session, pull_id) is not None:
        raise conflict("pull.running", vi="Một lượt kéo đang chờ hoặc đang chạy.", en="A run is waiting or under way.")
    if kind is RunKind.DELTA and await pulls.delta_base(uow.session, pull) is None:
        raise conflict(
            "pull.fullFirst",
            vi="Chưa có lượt đầy đủ nào được ghi nhận với cấu hình này: hãy chạy full trước.",
            en="No full run is committed under these settings: run `full` first.",
        )
    run = PullRun(
        pull_id=pull_id,
        kind=kind.value,
        state=RunState.WAITING.value,
        requested_by=principal.subject,
        queued_at=await uow.now(),
    )
    uow.session.add(run)
    await uow.session.flush()
    return (await pulls.list_runs(uow.session, pull_id, before=None, limit=1))[0]
