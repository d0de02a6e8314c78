"""Random lives of schools against a plain model: the difference, what was known when, and the order of schools.

Every example has schools of its own; they share the database and the semester.
"""

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.sync.packages import Row, make_package, school_files

LEARNERS = 4
NUMBERS = itertools.count(1)
SETTINGS = settings(
    max_examples=5,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What the model follows of each type: column in the file -> name in the API.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "users": {"familyName": "familyName", "grades": "grades"},
    "classes": {"title": "title"},
    "enrollments": {"classSourcedId": "classSourcedId", "role": "role", "beginDate": "beginDate"},
}
# Type, id, action, and the fields that differ.
Change = tuple[str, str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Sent:
    """A package: who is in it with name, grade, class and first day; the titles of both classes."""

    mode: str
    people: Mapping[int, tuple[str, str, int, str]]
    titles: tuple[str, str]

    def files(self, school: str) -> dict[str, list[Row]]:
        made = school_files(school, learners=LEARNERS)
        here = {f"{school}-hs{number}": row for number, row in self.people.items()}
        made["classes"] = [{**each, "title": title} for each, title in zip(made["classes"], self.titles, strict=True)]
        made["users"] = [
            {**each, "familyName": here[each["sourcedId"]][0], "grades": here[each["sourcedId"]][1]}
            if each["sourcedId"] in here
            else each
            for each in made["users"]
            if each["sourcedId"] in here or each["sourcedId"].endswith("-gv")
        ]
        present = {each["sourcedId"] for each in made["users"]}
        made["roles"] = [each for each in made["roles"] if each["userSourcedId"] in present]
        made["enrollments"] = [
            {**each, "classSourcedId": f"{school}-lop{row[2]}", "beginDate": row[3]}
            if (row := here.get(each["userSourcedId"]))
            else each
            for each in made["enrollments"]
            if each["userSourcedId"] in present
        ]
        if self.mode == "delta":
            stamp = {"status": "active", "dateLastModified": "2026-11-01T00:00:00Z"}
            made = {name: [{**row, **stamp} for row in rows] for name, rows in made.items()}
        return made


people = st.tuples(
    st.sampled_from(["Nguyễn", "Trần", "Lê"]),
    st.sampled_from(["6", "7"]),
    st.sampled_from([1, 2]),
    st.sampled_from(["", "2026-09-05"]),
)
packages = st.builds(
    Sent,
    st.sampled_from(["bulk", "bulk", "delta"]),
    st.dictionaries(st.integers(0, LEARNERS - 1), people, min_size=1),
    st.tuples(st.sampled_from(["6A", "6B"]), st.sampled_from(["6A", "6C"])),
)


@dataclass
class Model:
    """What a school holds: values by type and id, and which of them have ended."""

    values: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {name: {} for name in FIELDS})
    ended: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in FIELDS})

    def take(self, sent: Sent, school: str) -> set[Change]:
        """Apply a package; the difference it makes: (type, id, action, fields)."""
        difference: set[Change] = set()
        for name, rows in ((name, sent.files(school)[name]) for name in FIELDS):
            held, ended = self.values[name], self.ended[name]
            for row in rows:
                key, new = row["sourcedId"], {out: row.get(column, "") for column, out in FIELDS[name].items()}
                if key not in held or key in ended:
                    difference.add((name, key, "added", ()))
                elif held[key] != new:
                    differing = tuple(sorted(out for out in new if new[out] != held[key][out]))
                    difference.add((name, key, "changed", differing))
                held[key] = new
                ended.discard(key)
            if sent.mode == "bulk":
                for key in held.keys() - ended - {row["sourcedId"] for row in rows}:
                    difference.add((name, key, "removed", ()))
                    ended.add(key)
        return difference

    def state(self) -> dict[str, dict[str, tuple[bool, dict[str, Any]]]]:
        return {
            name: {key: (key not in self.ended[name], dict(values)) for key, values in held.items()}
            for name, held in self.values.items()
        }


def plain(value: Any) -> Any:
    return ",".join(value) if isinstance(value, list) else value or ""


async def stored(sync, school, **query):
    """The school's records as the API tells them, in the shape of the model."""
    found = {}
    for name, names in FIELDS.items():
        body = await sync.read(f"/sync/v1/{name}", sync.as_vendor(school), school=school, limit="500", **query)
        assert body["next"] is None
        found[name] = {
            each["sourcedId"]: (each["status"] == "active", {out: plain(each[out]) for out in names.values()})
            for each in body["items"]
        }
    return found


async def reviewed(sync, sent, school):
    """Hand a package in without committing it: the path of the import, and the difference it shows."""
    vendor = sync.as_vendor(school)
    done = await sync.imported(make_package(sent.files(school), sent.mode), vendor, mode="review")
    path = f"/sync/v1/imports/{done['id']}"
    body = await sync.read(f"{path}/diff", vendor, limit="500")
    assert body["next"] is None
    shown = {
        (each["type"], each["sourcedId"], each["action"], tuple(sorted(each["fields"] or ())))
        for each in body["items"]
        if each["type"] in FIELDS
    }
    return path, shown


async def committed(sync, path, school):
    """Commit it, as the head where the brake holds it; the instant of the commit."""
    body = {"reason": "đúng như vậy"}
    answer = await sync.client.post(f"{path}/commit", json=body, headers=sync.as_person(school, "head"))
    assert answer.status_code == 202, answer.text
    await sync.work()
    done = await sync.read(path, sync.as_vendor(school))
    assert done["state"] == "committed"
    return dt.datetime.fromisoformat(done["schools"][0]["committedAt"])


@SETTINGS
@given(life=st.lists(packages, min_size=2, max_size=5))
async def test_the_difference_shown_is_the_difference_made_and_every_instant_is_read_back_as_it_was(sync, life):
    school = f"T{next(NUMBERS)}"
    await sync.put_schools(school)
    model, remembered = Model(), []
    for sent in life:
        path, shown = await reviewed(sync, sent, school)
        assert shown == model.take(sent, school)
        remembered.append((await committed(sync, path, school), model.state()))
        assert await stored(sync, school) == model.state()
    before = remembered[0][0] - dt.timedelta(microseconds=1)
    assert await stored(sync, school, asOf=before.isoformat()) == {name: {} for name in FIELDS}
    for (instant, state), following in itertools.zip_longest(remembered, [each for each, _ in remembered[1:]]):
        assert await stored(sync, school, asOf=instant.isoformat()) == state
        if following is not None:
            last = following - dt.timedelta(microseconds=1)
            assert await stored(sync, school, asOf=last.isoformat()) == state


def renamed(state, school):
    """The state with the school's name taken out of every id and value."""

    def without_school(value):
        return value.replace(school, "") if isinstance(value, str) else value

    return {
        name: {
            without_school(key): (active, {out: without_school(value) for out, value in values.items()})
            for key, (active, values) in records.items()
        }
        for name, records in state.items()
    }


@SETTINGS
@given(
    lives=st.tuples(*[st.lists(packages, min_size=1, max_size=3)] * 2),
    turns=st.lists(st.booleans(), min_size=6, max_size=6),
)
async def test_the_order_of_imports_of_different_schools_does_not_matter(sync, lives, turns):
    """The same two lives: one school after the other, and interleaved by `turns`."""
    apart = [f"T{next(NUMBERS)}x" for _ in lives]
    woven = [f"T{next(NUMBERS)}x" for _ in lives]
    await sync.put_schools(*apart, *woven)

    async def send(sent, school):
        path, _ = await reviewed(sync, sent, school)
        await committed(sync, path, school)

    for school, life in zip(apart, lives, strict=True):
        for sent in life:
            await send(sent, school)
    waiting = [list(life) for life in lives]
    for turn in [*turns, *(number for number, life in enumerate(lives) for _ in life)]:
        if waiting[turn]:
            await send(waiting[turn].pop(0), woven[turn])
    assert waiting == [[], []]
    for one, other, life in zip(apart, woven, lives, strict=True):
        model = Model()
        for sent in life:
            model.take(sent, one)
        assert await stored(sync, one) == model.state()
        assert renamed(await stored(sync, other), other) == renamed(model.state(), one)
