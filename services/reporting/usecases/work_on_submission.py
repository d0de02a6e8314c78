"""The steps of a submission: edit, submit, return, accept. Each locks the row, asks the domain, and is kept."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.reporting.domain.submissions import Action, State, move
from services.reporting.domain.values import Entry, Held, changed, entered, faults_of_edit, faults_of_submit
from services.reporting.domain.windows import window_closed
from services.reporting.storage import campaigns, orgs, prefill, submissions
from services.reporting.storage.tables import Campaign, Submission, SubmissionStep
from services.reporting.usecases.access import (
    acting_over,
    department_of,
    require_at_school,
)
from services.reporting.usecases.find import (
    Dates,
    dates_of,
    held_of,
    submission_or_404,
    template_of_campaign,
    window_of,
)
from shared.auth import Principal
from shared.contracts.reporting_v1 import SubmissionAccepted
from shared.db.unit_of_work import UnitOfWork
from shared.errors import invalid
from shared.failpoints import failpoint
from shared.ids import new_id

# Compares the version the caller read (If-Match) with the present one; raises when they differ.
CheckVersion = Callable[[int], None]


async def edit_submission(
    uow: UnitOfWork,
    principal: Principal,
    submission_id: UUID,
    entries: Mapping[str, Entry],
    check_version: CheckVersion,
) -> Submission:
    """Type values in, or take them back. Overriding a prefilled number needs a reason; both values are kept.

    Raises `submission.unknown`, `role.*`, `submission.illegal_move`, `window.closed`, and `submission.values_invalid`
    with every fault at once.
    """
    now = await uow.now()
    submission = await submission_or_404(uow, submission_id, lock=True)
    require_at_school(principal, submission.school_sourced_id, "head", "data_officer")
    following = move(State(submission.state), Action.EDIT)
    check_version(submission.version)
    campaign = await _campaign_of(uow, submission)
    await _require_open(uow, campaign, await dates_of(uow, campaign, submission.school_sourced_id), now)
    template = await template_of_campaign(uow, campaign)
    values = await submissions.values_of(uow.session, submission.id)
    held = held_of(values)
    if faults := faults_of_edit(template, held, entries):
        raise invalid(
            "submission.values_invalid",
            vi="Có giá trị chưa hợp lệ. Xem danh sách errors.",
            en="Some values are not valid. See errors.",
            errors=faults,
        )
    changes = changed(held.items(), entered(template, held, entries))
    for name, (_, after) in changes.items():
        row = values[name]
        typed = after.entered is not None
        row.entered, row.reason = after.entered, after.reason
        row.entered_by, row.entered_at = (principal.subject, now) if typed else (None, None)
    if changes:
        _step(uow, submission, Action.EDIT, following, principal, now, content=_content(changes))
    return submission


async def submit_submission(
    uow: UnitOfWork, principal: Principal, submission_id: UUID, check_version: CheckVersion
) -> Submission:
    """The head certifies what was read: values are frozen, and the server's receipt time decides about lateness.

    Raises `submission.unknown`, `role.*`, `submission.illegal_move`, `window.closed`, and `submission.incomplete` with
    everything that is missing.
    """
    now = await uow.now()
    submission = await submission_or_404(uow, submission_id, lock=True)
    require_at_school(principal, submission.school_sourced_id, "head")
    following = move(State(submission.state), Action.SUBMIT)
    check_version(submission.version)
    campaign = await _campaign_of(uow, submission)
    dates = await dates_of(uow, campaign, submission.school_sourced_id)
    await _require_open(uow, campaign, dates, now)
    template = await template_of_campaign(uow, campaign)
    held = held_of(await submissions.values_of(uow.session, submission.id))
    if faults := faults_of_submit(template, held):
        raise invalid(
            "submission.incomplete",
            vi="Báo cáo chưa đủ để nộp. Xem danh sách errors.",
            en="The report is not complete. See errors.",
            errors=faults,
        )
    submission.submitted_at = now
    submission.late = not dates.seen.cutoff.on_time(now)
    submission.deadline_instant = dates.seen.cutoff.instant
    submission.deadline_inclusive = dates.seen.cutoff.inclusive
    content = {name: value.value for name, value in held.items()}
    _step(uow, submission, Action.SUBMIT, following, principal, now, content=content)
    return submission


async def return_submission(
    uow: UnitOfWork, principal: Principal, submission_id: UUID, *, reason: str, check_version: CheckVersion
) -> Submission:
    """An officer of a unit above the school sends it back, with a reason; the numbers follow the sources again."""
    now = await uow.now()
    submission = await submission_or_404(uow, submission_id, lock=True)
    chain = await orgs.chain(uow.session, submission.school_sourced_id, await orgs.today(uow.session))
    await acting_over(uow, principal, [entry.unit for entry in chain])
    following = move(State(submission.state), Action.RETURN)
    check_version(submission.version)
    await prefill.unfreeze(uow.session, submission.id)
    _step(uow, submission, Action.RETURN, following, principal, now, reason=reason)
    return submission


async def accept_submission(
    uow: UnitOfWork, principal: Principal, submission_id: UUID, check_version: CheckVersion
) -> Submission:
    """The department accepts; `reporting.submission.accepted.v1` leaves with the same transaction."""
    now = await uow.now()
    submission = await submission_or_404(uow, submission_id, lock=True)
    await department_of(uow, principal)
    following = move(State(submission.state), Action.ACCEPT)
    check_version(submission.version)
    campaign = await _campaign_of(uow, submission)
    submission.accepted_at = now
    _step(uow, submission, Action.ACCEPT, following, principal, now)
    assert submission.submitted_at is not None  # the table of states says so
    assert submission.late is not None
    event = SubmissionAccepted(
        submission_id=submission.id,
        campaign_id=campaign.id,
        template=f"{campaign.template_code}@{campaign.template_version}",
        school_sourced_id=submission.school_sourced_id,
        submitted_at=submission.submitted_at,
        accepted_at=now,
        late=submission.late,
    )
    await uow.emit(event, aggregate=f"submission:{submission.id}")
    failpoint("reporting.submission.accepted")
    return submission


async def _campaign_of(uow: UnitOfWork, submission: Submission) -> Campaign:
    campaign = await campaigns.campaign_of(uow.session, submission.campaign_id)
    assert campaign is not None  # a foreign key says so
    return campaign


async def _require_open(uow: UnitOfWork, campaign: Campaign, dates: Dates, now: dt.datetime) -> None:
    reason = window_of(campaign).closed_because(now, dates.extended_until)
    if reason is not None:
        named = await orgs.named(uow.session, [campaign.org_sourced_id])
        opener = named[campaign.org_sourced_id]
        raise window_closed(reason, opener=opener.unit.sourced_id, opener_name=opener.name)


def _step(
    uow: UnitOfWork,
    submission: Submission,
    action: Action,
    following: State,
    principal: Principal,
    now: dt.datetime,
    *,
    reason: str | None = None,
    content: dict[str, Any] | None = None,
) -> None:
    """Take the step and keep it."""
    uow.session.add(
        SubmissionStep(
            id=new_id(),
            submission_id=submission.id,
            school_sourced_id=submission.school_sourced_id,
            action=action.value,
            from_state=submission.state,
            to_state=following.value,
            acted_by=principal.subject,
            client_id=principal.client_id,
            acted_at=now,
            reason=reason,
            late=submission.late if action is Action.SUBMIT else None,
            content=content,
        )
    )
    submission.state = following.value
    submission.version += 1


def _content(changes: Mapping[str, tuple[Held, Held]]) -> dict[str, Any]:
    return {
        name: {"prefilled": after.prefilled, "from": before.entered, "to": after.entered, "reason": after.reason}
        for name, (before, after) in changes.items()
    }
