"""Access tokens for clients (RFC 6749 section 4.4) and, through the portal, for persons (RFC 8693)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.gateway.domain import oauth_errors
from services.gateway.domain.credentials import opens
from services.gateway.domain.scopes import in_order, scopes_of_roles
from services.gateway.domain.standing import standing_of
from services.gateway.storage.clients import KnownClient, find_client
from services.gateway.storage.persons import posts_of
from services.gateway.storage.signing_keys import SigningKeys
from shared.clock import Clock
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.logs import logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`scope` is what the token allows, space separated; `seconds` is its life."""

    token: str
    seconds: int
    scope: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """Makes tokens. `seconds` is their life, `url` the claim `iss`."""

    keys: SigningKeys
    url: str
    audience: str
    seconds: int
    clock: Clock

    def issue(
        self, *, subject: str, client_id: str, scopes: Iterable[str], orgs: Iterable[str], roles: Iterable[str] = ()
    ) -> IssuedToken:
        now = int(self.clock.now().timestamp())
        scope = in_order(scopes)
        claims = {
            "iss": self.url,
            "aud": self.audience,
            "sub": subject,
            "client_id": client_id,
            "scope": scope,
            "iat": now,
            "exp": now + self.seconds,
            "jti": str(new_id()),
            "orgs": sorted(orgs),
            "roles": sorted(roles),
        }
        return IssuedToken(self.keys.sign(claims), self.seconds, scope)


async def authenticate_client(uow: UnitOfWork, client_id: str, secrets: Collection[str]) -> KnownClient:
    """Raise `oauth.invalid_client` unless the secret, in one of its readings, is a valid one of an enabled client."""
    client = await find_client(uow.session, client_id)
    if not opens(secrets, client.digests if client else ()) or client is None or client.disabled:
        log.warning("client_refused", clientId=client.id if client else None, disabled=bool(client and client.disabled))
        raise oauth_errors.invalid_client()
    return client


async def issue_client_token(client: KnownClient, issuer: Issuer, asked: frozenset[str]) -> IssuedToken:
    """A token with exactly the scopes asked for, or with all of the client's when none is.

    Never narrower than asked: a client that thinks it may do more fails later in places harder to understand.
    Raises `oauth.invalid_scope`.
    """
    missing = asked - client.scopes
    if missing:
        names = in_order(name for name in missing)
        raise oauth_errors.invalid_scope(
            vi=f"Ứng dụng chưa được cấp phạm vi: {names}.", en=f"The client was not granted: {names}."
        )
    token = issuer.issue(subject=client.id, client_id=client.id, scopes=asked or client.scopes, orgs=client.orgs)
    log.info("token_issued", clientId=client.id, grant="client_credentials", orgs=len(client.orgs))
    return token


async def exchange_token(
    uow: UnitOfWork, client: KnownClient, issuer: Issuer, *, subject: str, org: str | None, asked: frozenset[str]
) -> IssuedToken:
    """A token for the person `subject`, whom the portal has logged in: their units, roles and the roles' scopes.

    With `asked` only those of the asked scopes that the roles bring along; the answer names them. Raises
    `oauth.unauthorized_client`, `oauth.invalid_request` (unknown person, ambiguous unit) or `oauth.invalid_scope`.
    """
    if not client.may_exchange:
        raise oauth_errors.unauthorized_client(
            vi="Ứng dụng này không được phép xin mã thay cho người dùng.",
            en="This client may not ask for tokens on behalf of persons.",
        )
    posts = await posts_of(uow.session, subject)
    if not posts:
        raise oauth_errors.invalid_request(
            vi="Người dùng này chưa được đăng ký vai trò nào. Đơn vị vận hành thêm bằng lệnh person-add.",
            en="This person is not registered with any role. The operator registers persons with person-add.",
        )
    standing = standing_of(posts, org)
    allowed = scopes_of_roles(standing.roles)
    scopes = allowed & asked if asked else allowed
    if not scopes:
        raise oauth_errors.invalid_scope(
            vi="Vai trò của người này không có phạm vi nào trong số được yêu cầu.",
            en="The roles of this person bring along none of the scopes asked for.",
        )
    token = issuer.issue(subject=subject, client_id=client.id, scopes=scopes, orgs=standing.orgs, roles=standing.roles)
    log.info("token_issued", clientId=client.id, grant="token_exchange", orgs=len(standing.orgs))
    return token
