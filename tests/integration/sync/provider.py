"""A OneRoster provider of somebody else: right, and wrong in the ways a test tells it to be."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

OLD = "2026-09-01T00:00:00.000Z"


def link(sourced_id, kind):
    return {"href": f"http://provider/{sourced_id}", "sourcedId": sourced_id, "type": kind}


@dataclass
class Provider:
    """A OneRoster provider with one list per collection, and the bad habits a test gives it."""

    version: str = "1.2"
    lists: dict[str, list[Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    queries: list[Any] = field(default_factory=list)
    secret: str = "s3cret-of-the-vendor"  # of a fake
    has_lists_of_schools: bool = True
    busy: int = 0
    habit: str = ""

    async def __call__(self, scope, receive, send):
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        query = dict(httpx.QueryParams(scope["query_string"].decode()))
        status, headers, content = self.answer(scope["path"], query, dict(scope["headers"]))
        names = {"content-type": "application/json", **headers}
        encoded = [(name.encode(), str(value).encode()) for name, value in names.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": content})

    def token(self, headers):
        given = httpx.BasicAuth("client", self.secret)._auth_header  # the one line that is needed
        if headers[b"authorization"].decode() != given:
            return 401, {}, b'{"error": "invalid_client"}'
        if self.habit == "grants nothing":
            return 400, {}, b'{"error":"invalid_scope"}'
        return 200, {}, json.dumps({"access_token": "t0ken", "token_type": "bearer", "expires_in": 60}).encode()

    def answer(self, path, query, headers):
        self.asked[path] += 1
        if path == "/token":
            return self.token(headers)
        if headers.get(b"authorization") != b"Bearer t0ken":
            return 401, {}, b"{}"
        if self.busy:
            self.busy -= 1
            return 429, {"retry-after": "7"}, b"{}"
        parts = path.strip("/").split("/")
        if parts[0] == "schools":
            found = [each for each in self.lists["orgs"] if each["sourcedId"] == parts[1]]
            if not found or (len(parts) > 2 and not self.has_lists_of_schools):
                return 404, {}, b"{}"
            if len(parts) == 2:
                return 200, {}, json.dumps({"org": found[0]}).encode()
            return self.page(parts[2], query, lambda each: each["school"]["sourcedId"] == parts[1])
        return self.page(parts[0], query, lambda _: True)

    def page(self, collection, query, wanted):
        self.queries.append((collection, query))
        rows = [each for each in self.lists[collection] if wanted(each)]
        if "filter" in query:
            since = query["filter"].split("'")[1]
            rows = [each for each in rows if each["dateLastModified"] > since]
        else:
            rows = [each for each in rows if each["status"] == "active"]
        limit, offset = int(query["limit"]), int(query["offset"])
        shown, total = rows[offset : offset + limit], len(rows)
        if self.habit == "short" and collection == "enrollments" and limit > 1:
            shown = shown[:-1]
        if self.habit == "grows" and offset:
            total += 1
        if self.habit == "repeats" and offset:
            shown = rows[:limit]
        if self.habit == "hole" and offset:
            shown = []
        if self.habit == "forbids" and collection == "users":
            return 403, {}, b"{}"
        if self.habit == "ends" and offset:
            # The token it gave is no longer good, once.
            self.habit = ""
            return 401, {}, b"{}"
        if self.habit == "html" and collection == "users":
            return 200, {"content-type": "text/html"}, b"<h1>Login</h1>"
        return 200, {"x-total-count": total}, json.dumps({collection: shown}).encode()


def base(sourced_id, **more):
    return {"sourcedId": sourced_id, "status": "active", "dateLastModified": OLD, **more}


def school_of_the_provider(school, *, learners=15, version="1.2"):
    """The lists of one school with one class."""
    users = []
    for number in range(learners):
        sourced_id = f"{school}-hs{number:02}"
        who: dict[str, Any] = {"username": sourced_id, "enabledUser": "true", "givenName": "An", "familyName": "Lê"}
        who["phone"] = "0901"
        if version == "1.2":
            who["roles"] = [{"roleType": "primary", "role": "student", "org": link(school, "org")}]
        else:
            who |= {"role": "student", "orgs": [link(school, "org")]}
        users.append(base(sourced_id, **who))
    year, course, room = f"{school}-nam", f"{school}-toan", f"{school}-6a"
    return {
        "orgs": [base(school, name=school, type="school")],
        "academicSessions": [
            base(
                year,
                title="Năm học",
                type="schoolYear",
                startDate="2026-09-05",
                endDate="2027-05-31",
                schoolYear="2027",
            ),
        ],
        "courses": [base(course, title="Toán 6", org=link(school, "org"))],
        "classes": [
            base(
                room,
                title="6A",
                classType="homeroom",
                course=link(course, "course"),
                school=link(school, "org"),
                terms=[link(year, "academicSession")],
                subjects=["Lịch sử, Địa lí"],
            ),
        ],
        "users": users,
        "enrollments": [
            base(
                f"{each['sourcedId']}-gd",
                role="student",
                user=link(each["sourcedId"], "user"),
                **{"class": link(room, "class")},
                school=link(school, "org"),
            )
            for each in users
        ],
    }
