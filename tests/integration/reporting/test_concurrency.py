"""What happens at the same moment: an event waits for the transaction it must not miss, and then finds its result."""

import asyncio
import datetime as dt
from uuid import UUID

from sqlalchemy import text

from services.reporting.domain.deadlines import no_later_than
from services.reporting.domain.windows import Window
from services.reporting.usecases.open_campaign import NewCampaign, Notice, Terms, open_campaign
from services.reporting.usecases.work_on_submission import submit_submission
from shared.auth import Principal
from shared.contracts.sync_v1 import OrgChanged, OrgParent
from shared.db.scope import EVERYTHING
from shared.messaging.consumer import Outcome
from tests.integration.reporting.stage import DAY, now, roster, value

PATIENCE = 30.0


async def until_somebody_waits(city) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(PATIENCE):
        while True:
            async with city.units.begin(EVERYTHING) as uow:
                if await uow.session.scalar(waiting):
                    return
            await asyncio.sleep(0.01)


def person(role: str, org: str) -> Principal:
    return Principal("user", "x", "portal", orgs=frozenset({org}), roles=frozenset({role}))


async def test_a_school_announced_while_a_campaign_opens_is_not_missed(city):
    await city.found()
    new = NewCampaign(
        template="semester-1",
        template_version=None,
        school_year="2025-2026",
        semester=1,
        notice=Notice("1/TB", dt.date(2025, 12, 1), "Sở GDĐT"),
        deadline=Terms("notice", no_later_than(now() + DAY)),
        window=Window(),
        levels=["lower_secondary"],
    )
    school = OrgChanged(
        sourced_id="thcs-moi",
        kind="school",
        name="Trường mới",
        level="lower_secondary",
        parents=(OrgParent(sourced_id="xa-a"),),
    )
    async with city.units.begin(EVERYTHING) as uow:
        await open_campaign(uow, person("department_officer", "so"), new)
        announced = asyncio.create_task(city.deliver(city.seal(school, "org:thcs-moi")))
        await until_somebody_waits(city)
    assert await announced is Outcome.APPLIED
    assert (await city.submission("thcs-moi"))["state"] == "open"


async def test_a_number_that_arrives_while_the_head_submits_changes_no_certified_value(city):
    await city.ready_to_submit()
    filled = await city.fill("thcs-a")
    head = person("head", "thcs-a")
    async with city.units.begin(EVERYTHING) as uow:
        await submit_submission(uow, head, UUID(filled["id"]), lambda _: None)
        await uow.session.flush()
        told = asyncio.create_task(city.deliver(city.seal(roster("thcs-a", learners=600), "roster:thcs-a")))
        await until_somebody_waits(city)
    assert await told is Outcome.APPLIED
    report = await city.submission("thcs-a")
    shown = value(report, "learners")
    assert (report["state"], shown["value"], shown["changedSinceSubmitted"]["value"]) == ("submitted", 512, 600)


async def test_of_two_officers_who_accept_at_once_one_wins(city):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    officer, path = city.department_officer(), f"/submissions/{submitted['id']}/accept"
    answers = await asyncio.gather(officer.post(path), officer.post(path))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
