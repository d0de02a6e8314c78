"""Schemathesis over every reading operation of the official OneRoster 1.2 files: what a careless caller may send.

Cases are the same in every run. Half of them name real ids, and fields the standard has: not all end at the door.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.sync.official import FILES, Official, document, every_scope
from tests.contract.sync.test_oneroster_walk import IDS, whole_school
from tests.integration.sync.conftest import sync  # noqa: F401  # the fixture of the running service
from tests.integration.sync.packages import make_package

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 8
SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
Call = Callable[[Any], httpx.Response]
Query = dict[str, Any]


def meant(operation: Official) -> st.SearchStrategy[Query]:
    """Queries a caller who knows the standard sends; values are arbitrary."""
    names = st.sampled_from(sorted(operation.properties()))
    compared = st.builds(
        "{}{}'{}'".format,
        names,
        st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "~"]),
        st.one_of(st.text(max_size=20), st.datetimes().map(lambda at: f"{at.isoformat()}Z"), st.integers().map(str)),
    )
    joined = st.builds("{} {} {}".format, compared, st.sampled_from(["AND", "OR"]), compared)
    selected = {"fields": st.lists(names, min_size=1, max_size=3).map(",".join)}
    if operation.is_single:
        return st.fixed_dictionaries({}, optional=selected)
    places = {"limit": st.integers(1, 2**31 - 1), "offset": st.integers(0, 2**31 - 1), "sort": names}
    words = {"orderBy": st.sampled_from(["asc", "desc"]), "filter": st.one_of(compared, joined)}
    return st.fixed_dictionaries({}, optional={**selected, **places, **words})


def checked(operation: Official, described: Any, call: Call) -> int:
    """Run the cases of an operation; how many there were."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of([described.as_strategy(generation_mode=mode) for mode in modes])
    tried = 0

    @SETTINGS
    @given(case=cases, query=st.none() | meant(operation))
    def check(case, query):
        nonlocal tried
        tried += 1
        if query is not None:
            case.path_parameters = {name: IDS.get(name, "A") for name in operation.parents}
            case.query = query
        answer = schemathesis.Response.from_any(call(case))
        # With `fields` a record holds what was asked for, so its required members are lifted: the walk checks those.
        is_part = "fields" in (case.query or {}) and answer.status_code == 200
        case.validate_response(answer, checks=CHECKS[:-1] if is_part else CHECKS)

    check()
    return tried


def run_all(service: str, call: Call) -> int:
    """Every case of every operation; their number. Raises what Schemathesis or Hypothesis finds."""
    described = schemathesis.openapi.from_dict(document(service)).get_all_operations()
    found = [each.ok() for each in described if isinstance(each, Ok)]
    reading = [each for each in found if each.method.upper() == "GET"]
    return sum(checked(Official(service, each.path), each, call) for each in reading)


@pytest.mark.parametrize("service", FILES)
async def test_no_generated_request_is_answered_otherwise_than_the_official_file_says(sync, service):  # noqa: F811
    await sync.put_schools("A")
    await sync.imported(make_package(whole_school()), sync.as_vendor("A"), mode="auto")
    headers = sync.as_vendor("A", scope=" ".join(every_scope()))
    loop, base = asyncio.get_running_loop(), f"/ims/oneroster/{service}/v1p2"

    def call(case):
        sent = case.as_transport_kwargs(base_url=f"http://sync.test{base}", headers=headers)
        sent = {name: sent[name] for name in ("method", "url", "params", "headers") if sent.get(name) is not None}
        return asyncio.run_coroutine_threadsafe(sync.client.request(**sent), loop).result(30)

    # The cases are made in a thread of their own: the service answers in this loop.
    operations = sum("get" in verbs for verbs in document(service)["paths"].values())
    assert await asyncio.to_thread(run_all, service, call) >= operations * EXAMPLES / 2
