import datetime as dt
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.domain.oai import OaiError, Selection, arguments_of, material_of, selection_of, token_of

LIST = [("verb", "ListRecords"), ("metadataPrefix", "oai_dc")]


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([], "badVerb"),
        ([("verb", "Nothing")], "badVerb"),
        ([("verb", "Identify"), ("verb", "Identify")], "badVerb"),
        ([("verb", "Identify"), ("set", "x")], "badArgument"),
        ([("verb", "ListRecords")], "badArgument"),
        ([*LIST, ("metadataPrefix", "oai_dc")], "badArgument"),
        ([*LIST, ("resumptionToken", "x")], "badArgument"),
        ([("verb", "GetRecord"), ("identifier", "x")], "badArgument"),
    ],
)
def test_a_request_that_breaks_the_protocol_has_its_own_code(pairs, code):
    with pytest.raises(OaiError) as refused:
        arguments_of(pairs)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"metadataPrefix": "marc"}, "cannotDisseminateFormat"),
        ({"from": "2026-13-01"}, "badArgument"),
        ({"from": "2026-01-01T00:00:00"}, "badArgument"),
        ({"from": "2026-01-01", "until": "2026-01-02T00:00:00Z"}, "badArgument"),
        ({"from": "2026-01-02", "until": "2026-01-01"}, "badArgument"),
        ({"set": "colour:red"}, "noRecordsMatch"),
    ],
)
def test_a_selection_that_cannot_be_made_has_its_own_code(more, code):
    with pytest.raises(OaiError) as refused:
        selection_of(dict(LIST) | more)
    assert refused.value.code == code


def test_until_a_day_includes_that_day():
    chosen = selection_of(dict(LIST) | {"from": "2026-01-01", "until": "2026-01-02"})
    assert chosen.first == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert chosen.last == dt.datetime(2026, 1, 2, 23, 59, 59, tzinfo=dt.UTC)


def test_a_token_holds_everything_to_go_on_with():
    now = dt.datetime(2026, 11, 27, 8, 0, 0, 123456, tzinfo=dt.UTC)
    selection = Selection("lom", "grade:6", now, now, (now, uuid4()), 100)
    token = token_of(selection, "ListRecords")
    assert selection_of({"verb": "ListRecords", "resumptionToken": token}) == selection
    with pytest.raises(OaiError, match="another request"):
        selection_of({"verb": "ListIdentifiers", "resumptionToken": token})


@given(st.text(max_size=80))
def test_a_token_of_ones_own_making_is_refused(token):
    with pytest.raises(OaiError) as refused:
        selection_of({"verb": "ListRecords", "resumptionToken": token})
    assert refused.value.code == "badResumptionToken"


def test_an_identifier_of_another_repository_does_not_exist_here():
    with pytest.raises(OaiError) as refused:
        material_of(f"oai:elsewhere:{uuid4()}", "here")
    assert refused.value.code == "idDoesNotExist"
