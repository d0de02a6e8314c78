import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.credentials import digest_of, new_secret, opens
from services.gateway.domain.scopes import SCOPES, SCOPES_OF_ROLE, in_order, scopes_of_roles
from services.gateway.domain.standing import Standing, standing_of
from shared.errors import AppError

POSTS = st.lists(st.tuples(st.sampled_from(["S1", "S2", "S3"]), st.sampled_from(sorted(SCOPES_OF_ROLE))), max_size=6)


def test_secrets_are_random_and_never_repeat():
    secrets = {new_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    assert {len(secret) for secret in secrets} == {43}


def test_a_secret_opens_by_any_reading_and_any_kept_digest():
    kept = [digest_of("one"), digest_of("two")]
    assert opens(["one"], kept)
    assert opens(["x", "two"], kept)
    assert not opens(["three"], kept)
    assert not opens([], kept)


def test_nothing_opens_what_has_no_secret():
    assert not opens([""], [])
    assert not opens(["anything"], [])


def test_every_scope_of_a_role_exists_and_is_explained_in_both_languages():
    assert frozenset().union(*SCOPES_OF_ROLE.values()) <= SCOPES.keys()
    assert all(text.vi and text.en for text in SCOPES.values())


@pytest.mark.parametrize("role", ["teacher", "group_lead", "head", "data_officer"])
def test_nobody_at_a_school_manages_reports_or_the_org_tree(role: str):
    assert SCOPES_OF_ROLE[role].isdisjoint({"reporting.manage", "sync.orgs"})


@pytest.mark.parametrize("role", ["department_officer", "commune_officer"])
def test_an_officer_neither_imports_nor_reviews_nor_submits_for_a_school(role: str):
    assert SCOPES_OF_ROLE[role].isdisjoint({"sync.import", "materials.review", "materials.write", "reporting.write"})


def test_an_unknown_role_allows_nothing():
    assert scopes_of_roles(["king"]) == frozenset()
    assert scopes_of_roles([]) == frozenset()


def test_scopes_are_written_in_a_stable_order():
    assert in_order({"b", "a", "c"}) == "a b c"


@given(POSTS)
def test_a_standing_never_gives_a_role_where_it_is_not_held(posts: list[tuple[str, str]]):
    try:
        standing = standing_of(posts, None)
    except AppError:
        assert len({org for org, _ in posts}) > 1
        return
    assert set(itertools.product(standing.orgs, standing.roles)) == set(posts)


@given(POSTS, st.sampled_from(["S1", "S2", "S3"]))
def test_naming_a_unit_gives_exactly_the_roles_held_there(posts: list[tuple[str, str]], org: str):
    roles = frozenset(role for unit, role in posts if unit == org)
    if roles:
        assert standing_of(posts, org) == Standing(frozenset({org}), roles)
    else:
        with pytest.raises(AppError):
            standing_of(posts, org)
