import datetime as dt
import itertools
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.materials.api.library.negotiation import preferred
from services.materials.api.library.oai_answers import oai_shaper
from services.materials.api.library.xml_parts import xml_text
from services.materials.domain.oai import (
    OaiError,
    Place,
    Selection,
    SetSpec,
    identifier_of,
    read_identifier,
    read_selection,
    read_set,
    read_token,
    write_token,
)
from services.materials.domain.repository import Repository
from shared.errors import unavailable

NOW = dt.datetime(2026, 9, 5, 7, 0, 0, 123456, tzinfo=dt.UTC)
MATERIAL = UUID("0192f0c1-7d3a-7c55-8d1e-2f4b6a8c0e12")
REPOSITORY = Repository.at("https://lt.example.vn/", "Kho", domain=None, email=None)


@given(st.text(min_size=1))
def test_every_code_of_a_school_is_a_set_and_the_way_back(code):
    code = code.encode("utf-8", "replace").decode()
    spec = SetSpec("school", code)
    assert read_set(str(spec)) == spec


@given(st.text())
def test_any_text_for_a_set_is_read_or_refused_by_the_protocol(text):
    parts = text.split(":")
    plain = string.ascii_letters + string.digits + "-_.!~*'()"
    if all(part and not set(part) - set(plain) for part in parts):
        assert read_set(text).kind == parts[0]
    else:
        with pytest.raises(OaiError, match="badArgument"):
            read_set(text)


@given(st.text())
def test_any_token_that_was_not_given_out_is_refused(token):
    with pytest.raises(OaiError) as refused:
        read_token("ListRecords", token)
    assert refused.value.code == "badResumptionToken"


def test_a_token_holds_the_list_and_the_place():
    arguments = {"metadataPrefix": "lom", "set": "grade:6", "from": "2026-01-01", "until": "2026-09-05"}
    selection, place = read_selection(arguments), Place(NOW, MATERIAL, 300)
    assert read_token("ListRecords", write_token("ListRecords", selection, place)) == (selection, place)
    assert selection.before == dt.datetime(2026, 9, 6, tzinfo=dt.UTC)


def test_a_token_made_of_arguments_nobody_may_give_is_refused():
    place = Place(NOW, MATERIAL, 0)
    for arguments in ({"metadataPrefix": "marc21"}, {}, {"metadataPrefix": "lom", "x": "1"}, {"resumptionToken": "x"}):
        token = write_token("ListRecords", Selection("lom", arguments=arguments), place)
        with pytest.raises(OaiError) as refused:
            read_token("ListRecords", token)
        assert refused.value.code == "badResumptionToken"


def test_an_identifier_is_of_this_repository_and_written_in_one_way():
    assert read_identifier("lt.example.vn", identifier_of("lt.example.vn", MATERIAL)) == MATERIAL
    for other in (str(MATERIAL), f"oai:else.vn:{MATERIAL}", identifier_of("lt.example.vn", MATERIAL).upper(), ""):
        assert read_identifier("lt.example.vn", other) is None


def test_the_domain_is_the_hosts_unless_that_is_no_name():
    assert REPOSITORY.domain == "lt.example.vn"
    assert Repository.at("http://127.0.0.1:8080", "Kho", domain=None, email=None).domain == "lien-thong.example"
    assert Repository.at("http://127.0.0.1:8080", "Kho", domain="hl.vn", email="a@hl.vn").email == "a@hl.vn"


def test_a_database_that_is_away_is_told_by_http_and_when_to_come_back():
    error = unavailable("database.unavailable", vi="Đang bận.", en="Busy.", retry_after=2)
    answer = oai_shaper(REPOSITORY, lambda: NOW)(error, 503, "en")
    assert (answer.status_code, answer.headers["retry-after"], answer.body) == (503, "2", b"Busy.")


@given(st.text())
def test_any_text_can_be_written_as_xml(text):
    element = etree.Element("x")
    element.text = xml_text(text.encode("utf-8", "replace").decode())
    assert etree.fromstring(etree.tostring(element)).tag == "x"


def test_the_type_with_the_highest_quality_is_answered_and_html_to_whoever_does_not_care():
    html, data = "text/html", "application/ld+json"
    for accept, chosen in (
        (None, html),
        ("*/*", html),
        ("application/ld+json", data),
        ("text/html;q=0.5, application/ld+json", data),
        ("text/html, application/ld+json;q=0.9", html),
        ("application/*", data),
        ("image/png", html),
        ("application/ld+json;q=x", html),
    ):
        assert preferred(accept, (html, data)) == chosen, accept


def test_sets_of_all_kinds_are_told_apart():
    specs = [SetSpec("grade"), SetSpec("grade", "6"), SetSpec("school", "6"), SetSpec("school", "grade:6")]
    for one, other in itertools.combinations(map(str, specs), 2):
        assert one != other
