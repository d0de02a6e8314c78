"""The caller of a use case: a vendor's client, a person the portal speaks for, or the system itself."""

from dataclasses import dataclass
from typing import Literal

from shared.errors import forbidden


@dataclass(frozen=True, slots=True)
class Principal:
    """`orgs` are the sourcedIds the caller was granted; a grant covers the schools below it.

    Roles belong to persons and are names the services give meaning to; this class only compares them.
    """

    kind: Literal["client", "user", "system"]
    subject: str
    client_id: str
    scopes: frozenset[str] = frozenset()
    orgs: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def require_scope(self, *any_of: str) -> None:
        """Raise `scope.missing` (forbidden) unless the token carries at least one of these scopes."""
        if self.scopes.isdisjoint(any_of):
            wanted = " ".join(any_of)
            raise forbidden(
                "scope.missing",
                vi=f"Mã truy cập thiếu phạm vi: cần một trong {wanted}.",
                en=f"The access token lacks a scope: one of {wanted} is needed.",
                scopes=list(any_of),
            )

    def require_role(self, *any_of: str) -> None:
        """Raise `role.missing` (forbidden) unless the person holds at least one of these roles."""
        if self.roles.isdisjoint(any_of):
            wanted = ", ".join(any_of)
            raise forbidden(
                "role.missing",
                vi=f"Việc này cần một trong các vai trò: {wanted}.",
                en=f"This needs one of the roles: {wanted}.",
                roles=list(any_of),
            )

    def has_role(self, *any_of: str) -> bool:
        return not self.roles.isdisjoint(any_of)


SYSTEM = Principal(kind="system", subject="system", client_id="system")
