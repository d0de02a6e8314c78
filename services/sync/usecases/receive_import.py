"""Taking in a package: judged at the door, then a receipt. What is refused here leaves nothing behind."""

from dataclasses import dataclass

from services.sync.domain import catalogue
from services.sync.domain.import_state import State
from services.sync.domain.problems import Problem
from services.sync.storage.tables import Import
from services.sync.storage.uploads import Inspection, Received, Uploads
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Kind, Text
from shared.ids import new_id

MOST_ERRORS = 500


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`auto_commit`: commit without asking when nothing is held. `lenient`: repair what the documented list allows.

    `dry_run`: judge and compare, never commit, whatever `auto_commit` says.
    """

    lenient: bool
    auto_commit: bool
    dry_run: bool = False


def refuse_unfit(inspection: Inspection) -> None:
    """Raise `package.invalid` with every fault of the package; faults name file, column and what was expected."""
    if inspection.plan is not None:
        return
    raise AppError(
        "package.invalid",
        Kind.INVALID,
        Text(
            "Gói OneRoster không dùng được. Xem danh sách errors; chưa có gì được lưu.",
            "The OneRoster package cannot be used. See errors; nothing was stored.",
        ),
        errors=[_field_error(problem) for problem in inspection.errors[:MOST_ERRORS]],
        details={"errorCount": len(inspection.errors)},
    )


def _field_error(problem: Problem) -> FieldError:
    """The pointer names the place inside the ZIP: file, then `header` or property, then column."""
    steps = [problem.file or "package"]
    if problem.code.startswith("header."):
        steps.append("header")
    if problem.field or (problem.code.startswith("header.") and problem.value):
        steps.append(problem.field or str(problem.value))
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    said, hint = catalogue.message(problem), catalogue.hint(problem)
    return FieldError(pointer, problem.code, Text(f"{said.vi} {hint.vi}", f"{said.en} {hint.en}"))


async def receive_import(
    uow: UnitOfWork,
    principal: Principal,
    uploads: Uploads,
    received: Received,
    inspection: Inspection,
    options: ImportOptions,
) -> Import:
    """Give a judged package its receipt; the worker goes on from here. The time is the database's."""
    assert inspection.plan is not None
    row = Import(
        id=new_id(),
        received_at=await uow.now(),
        client_id=principal.client_id,
        subject=principal.subject,
        orgs=sorted(principal.orgs),
        state=State.RECEIVED.value,
        lenient=options.lenient,
        auto_commit=options.auto_commit and not options.dry_run,
        dry_run=options.dry_run,
        oneroster_version=inspection.plan.version,
        modes=dict(inspection.plan.modes),
        sha256=received.sha256,
        size_bytes=received.size,
        rows_total=inspection.rows,
    )
    uow.session.add(row)
    await uow.session.flush()
    await uow.session.refresh(row)
    uploads.keep(received, row.id)
    return row
