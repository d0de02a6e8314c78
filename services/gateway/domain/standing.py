"""What a person is, and where: the roles and units a token of theirs carries."""

from collections.abc import Collection
from dataclasses import dataclass

from services.gateway.domain.oauth_errors import invalid_request


@dataclass(frozen=True, slots=True)
class Standing:
    """A person acts in these roles at every one of these units (sourcedIds)."""

    orgs: frozenset[str]
    roles: frozenset[str]


def standing_of(posts: Collection[tuple[str, str]], org: str | None) -> Standing:
    """Fold a person's posts, pairs of (unit, role), into one standing, at `org` alone when it is named.

    A token lists units and roles apart, so roles that differ between units must not be mixed: a teacher here who is
    head there would be head here too. Such a person has to say for which unit they act. Raises `oauth.invalid_request`.
    """
    by_org: dict[str, set[str]] = {}
    for unit, role in posts:
        by_org.setdefault(unit, set()).add(role)
    if org is not None:
        if org not in by_org:
            raise invalid_request(
                vi="Người này không có vai trò nào tại đơn vị nêu trong org.",
                en="This person holds no role at the unit named by org.",
            )
        return Standing(frozenset({org}), frozenset(by_org[org]))
    if len({frozenset(roles) for roles in by_org.values()}) > 1:
        raise invalid_request(
            vi="Người này có vai trò khác nhau ở nhiều đơn vị: hãy nêu một đơn vị bằng tham số org.",
            en="This person holds different roles at several units: name one of them with the parameter org.",
        )
    roles = next(iter(by_org.values()), set())
    return Standing(frozenset(by_org), frozenset(roles))
