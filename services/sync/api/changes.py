"""`/sync/v1/changes`: the feed of everything that was committed, ended records included."""

import datetime as dt
from dataclasses import astuple
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.sync.api.deps import Reader
from services.sync.api.schemas import Shape
from services.sync.storage.changes import Place
from services.sync.usecases.read_changes import latest_place, read_changes
from shared.clock import VIETNAM
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["changes"])
Action = Literal["added", "changed", "removed"]
_NDC_EVENT: dict[Action, Literal["NEW", "UPdate", "CANCEL"]] = {
    "added": "NEW",
    "changed": "UPdate",
    "removed": "CANCEL",
}


def _action(row: RowMapping) -> Action:
    if row["status"] != "active":
        return "removed"
    return "added" if row["version"] == 1 else "changed"


class RecordChange(Shape):
    """One version of a record. Its natural key is type, school and sourcedId, for ended records too."""

    type: str
    school: str
    sourced_id: str
    action: Action = Field(description="A record that came back after its end is `changed`.")
    version: int = Field(description="Grows by one with each write of the record; ignore what is not above yours.")
    recorded_at: dt.datetime
    import_id: UUID
    record: dict[str, Any]

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(
            type=row["type"],
            school=row["school_sourced_id"],
            sourced_id=row["sourced_id"],
            action=_action(row),
            version=row["version"],
            recorded_at=row["recorded_at"],
            import_id=row["last_import_id"],
            record=row["record"],
        )


class NdcChange(BaseModel):
    """The same in the record envelope the ministry uses with the National Data Centre."""

    model_config = ConfigDict(populate_by_name=True)

    id_ban_ghi: str = Field(alias="IdBanGhi", description="Unique: type, school and sourcedId.")
    su_kien: Literal["NEW", "UPdate", "CANCEL"] = Field(alias="SuKien")
    phien_ban: int = Field(alias="PhienBan", ge=1)
    thoi_gian_cap_nhat: str = Field(alias="ThoiGianCapNhat", description="Vietnamese time, no zone.")
    loai: str = Field(alias="Loai")
    du_lieu: dict[str, Any] = Field(alias="DuLieu")

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        key = {"school": row["school_sourced_id"], "sourcedId": row["sourced_id"]}
        return cls(
            id_ban_ghi="|".join((row["type"], *key.values())),
            su_kien=_NDC_EVENT[_action(row)],
            phien_ban=row["version"],
            thoi_gian_cap_nhat=f"{row['recorded_at'].astimezone(VIETNAM):%Y-%m-%dT%H:%M:%S}",
            loai=row["type"],
            du_lieu=key | row["record"],
        )


class FeedPlace(Shape):
    cursor: str = Field(description="Where to go on reading; never null, also when nothing is left.")


class ChangePage(FeedPlace):
    items: list[RecordChange]
    more: bool = Field(description="Whether the page is full: read on at once.")


class NdcPage(FeedPlace):
    items: list[NdcChange]
    more: bool


@router.get("/changes", summary="What changed since a place in the feed")
async def get_changes(
    _principal: Reader,
    uow: Uow,
    cursor: Cursor = None,
    types: Annotated[
        str | None, Query(max_length=500, description="Comma-separated, for example `users,enrollments`; all without.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    profile: Annotated[Literal["ndc"] | None, Query(description="`ndc`: the national record envelope.")] = None,
) -> ChangePage | NdcPage:
    """Every version of every record, oldest first, from the beginning without a cursor.

    Nothing is skipped: a version appears when every transaction begun before its own has ended. A school granted later
    needs a reading from the beginning.
    """
    names = [name.strip() for name in types.split(",") if name.strip()] if types else []
    page = await read_changes(uow, names, _place(cursor), limit)
    place = encode_cursor(*astuple(page.place))
    if profile == "ndc":
        return NdcPage(items=[NdcChange.of(row) for row in page.rows], cursor=place, more=page.more)
    return ChangePage(items=[RecordChange.of(row) for row in page.rows], cursor=place, more=page.more)


@router.get("/changes/latest", summary="The end of the feed now")
async def get_latest(_principal: Reader, uow: Uow) -> FeedPlace:
    """A cursor behind everything that is in the feed now: start here after loading the lists."""
    return FeedPlace(cursor=encode_cursor(*astuple(await latest_place(uow))))


def _place(cursor: str | None) -> Place | None:
    key = decode_cursor(cursor, 5)
    if key is None:
        return None
    if [type(part) for part in key] != [int, int, str, str, int]:
        decode_cursor("", 5)  # raises as for any cursor that is not ours
    return Place(*key)
