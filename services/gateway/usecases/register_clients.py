"""The operator's work on clients: add, rotate, disable, grant."""

import datetime as dt
import re
from collections.abc import Collection

from services.gateway.domain.credentials import MIN_SECRET_LENGTH, digest_of, new_secret
from services.gateway.domain.scopes import SCOPES
from services.gateway.storage import clients
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict, invalid, not_found

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


async def add_client(
    uow: UnitOfWork,
    *,
    client_id: str,
    name: str,
    scopes: Collection[str],
    orgs: Collection[str],
    may_exchange: bool,
    secret: str | None,
) -> str:
    """Register a client and return its secret, which is never shown again.

    Raises `client.id_invalid`, `client.scope_unknown`, `client.secret_weak` or `client.exists`.
    """
    if not _ID.fullmatch(client_id):
        raise invalid(
            "client.id_invalid",
            vi="Mã ứng dụng gồm chữ không dấu, số, dấu chấm, gạch dưới, gạch ngang; tối đa 100 ký tự.",
            en="A client id has letters, digits, dots, underscores and hyphens; at most 100 characters.",
        )
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown:
        raise invalid(
            "client.scope_unknown",
            vi=f"Phạm vi không có: {' '.join(unknown)}. Các phạm vi có sẵn: {' '.join(SCOPES)}.",
            en=f"No such scope: {' '.join(unknown)}. The scopes are: {' '.join(SCOPES)}.",
        )
    secret = _strong(secret) if secret is not None else new_secret()
    created = await clients.insert_client(
        uow.session, client_id=client_id, name=name, scopes=set(scopes), may_exchange=may_exchange
    )
    if not created:
        raise conflict(
            "client.exists",
            vi=f"Ứng dụng {client_id} đã được đăng ký.",
            en=f"The client {client_id} is registered already.",
        )
    await clients.add_secret(uow.session, client_id, digest_of(secret))
    await clients.add_grants(uow.session, client_id, orgs)
    return secret


async def rotate_client_secret(
    uow: UnitOfWork, *, client_id: str, overlap: dt.timedelta, secret: str | None = None
) -> str:
    """Return a new secret; the newest one so far stays valid for `overlap`, any older one ends now."""
    await _existing(uow, client_id)
    secret = _strong(secret) if secret is not None else new_secret()
    await clients.retire_secrets(uow.session, client_id, overlap)
    await clients.add_secret(uow.session, client_id, digest_of(secret))
    return secret


async def disable_client(uow: UnitOfWork, *, client_id: str, disabled: bool = True) -> None:
    """No new tokens from now on (or again, with `disabled=False`); those already issued live to their end."""
    await _existing(uow, client_id)
    await clients.set_disabled(uow.session, client_id, disabled=disabled)


async def grant_orgs(uow: UnitOfWork, *, client_id: str, orgs: Collection[str]) -> None:
    """Let the client see these units; counts from its next token on."""
    await _existing(uow, client_id)
    await clients.add_grants(uow.session, client_id, orgs)


async def withdraw_orgs(uow: UnitOfWork, *, client_id: str, orgs: Collection[str]) -> None:
    """Take the grants of these units back; counts from the client's next token on."""
    await _existing(uow, client_id)
    await clients.remove_grants(uow.session, client_id, orgs)


async def _existing(uow: UnitOfWork, client_id: str) -> None:
    if await clients.find_client(uow.session, client_id) is None:
        raise not_found(
            "client.unknown",
            vi=f"Chưa đăng ký ứng dụng {client_id}.",
            en=f"There is no client {client_id}.",
        )


def _strong(secret: str) -> str:
    if len(secret) < MIN_SECRET_LENGTH:
        raise invalid(
            "client.secret_weak",
            vi=f"Khóa bí mật phải là chuỗi ngẫu nhiên dài ít nhất {MIN_SECRET_LENGTH} ký tự.",
            en=f"A secret must be random and at least {MIN_SECRET_LENGTH} characters long.",
        )
    return secret
