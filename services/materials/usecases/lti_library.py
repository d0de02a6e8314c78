"""What an LMS sees of the library: what the city shares, and what the schools of its unit use."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.lti_items import Chosen, item_of, response_claims
from services.materials.domain.lti_launch import DeepLinking
from services.materials.domain.material import Reader
from services.materials.storage import files, lti, materials, shelf
from services.materials.storage.lti_tables import LtiPlatform, LtiSession
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.search.port import Search, SearchIndex
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.storage.tables import FileCheck
from services.materials.usecases.grants import READ, material_unknown, scope_of
from services.materials.usecases.lti_launch import hash_of
from services.materials.usecases.lti_tool import LtiTool
from services.materials.usecases.search_library import Results, search_library
from shared.auth import Principal
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, Language, Text, not_found

MOST_CHOSEN = 50


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody inside a session. `schools`: whose materials in use they see beside the shelf."""

    session: LtiSession
    platform: LtiPlatform
    principal: Principal
    schools: frozenset[str]

    @property
    def language(self) -> Language:
        return "en" if self.session.language == "en" else "vi"

    @property
    def deep_linking(self) -> DeepLinking | None:
        said = self.session.deep_linking
        return None if said is None else DeepLinking(**said)


@dataclass(frozen=True, slots=True)
class ShownFile:
    position: int
    name: str
    media_type: str
    size: int
    sha256: str
    check: FileCheck | None


@dataclass(frozen=True, slots=True)
class ShownMaterial:
    """One material as a page shows it: the version in use at its school, or the shared one."""

    material_id: UUID
    number: int
    title: str
    description: str
    type: str
    subject: str
    grades: Sequence[str]
    language: str
    licence: str
    authors: Sequence[str]
    school: str
    files: Sequence[ShownFile]


async def enter(uow: UnitOfWork, token: str) -> Visitor:
    """Open the session for this transaction. Raises `lti.session_over` (forbidden)."""
    found = await lti.opened(uow.session, hash_of(token))
    if found is None:
        raise AppError(
            "lti.session_over",
            Kind.FORBIDDEN,
            Text("Phiên này đã hết. Hãy mở lại từ LMS.", "This session is over. Open it from the LMS again."),
        )
    session, platform = found
    org = platform.org_sourced_id
    assert org is not None
    who = Principal("client", f"lti:{platform.id}", f"lti:{platform.id}", frozenset({READ}), frozenset({org}))
    scope = await scope_of(uow, who)
    # An LMS of the whole department stands for no school: it sees the shelf.
    schools = frozenset() if scope.everything else scope.schools
    await uow.enter(Scope.of(schools))
    return Visitor(session, platform, who, schools)


async def enter_to_choose(uow: UnitOfWork, token: str) -> Visitor:
    """As `enter`, for the picker alone: a learner's link opens its one material and nothing else."""
    visitor = await enter(uow, token)
    if visitor.session.deep_linking is None:
        raise material_unknown()
    return visitor


async def read(uow: UnitOfWork, visitor: Visitor, material_id: UUID) -> ShownMaterial:
    """The version in use at a school of the LMS, else the shared one.

    Raises `material.unknown`, `shelf.withdrawn` (410), and `material.unknown` for another than a viewer's own.
    """
    if visitor.session.material_id not in {None, material_id}:
        raise material_unknown()
    for each in await read_several(uow, visitor, [material_id]):
        return each
    item = await shelf.item(uow.session, material_id)
    if item is None:
        raise material_unknown()
    raise not_found(
        "shelf.withdrawn",
        vi="Học liệu này đã được rút khỏi kho.",
        en="This material was withdrawn from the library.",
    )


async def read_several(uow: UnitOfWork, visitor: Visitor, ids: Sequence[UUID]) -> list[ShownMaterial]:
    """Those of them the LMS may see, in this order."""
    reader = Reader(visitor.principal.subject, visitor.schools, frozenset())
    found = {record.material.id: _of_record(record) for record in await materials.in_use(uow.session, ids, reader)}
    items = await shelf.items(uow.session, [each for each in ids if each not in found])
    checks = await _checks_of(uow, items)
    found |= {item.material_id: _of_item(item, checks) for item in items}
    return [found[each] for each in dict.fromkeys(ids) if each in found]


async def search(uow: UnitOfWork, visitor: Visitor, index: SearchIndex, text: str, wanted: Search) -> Results:
    place = None if visitor.schools else "shared"
    return await search_library(uow, visitor.principal, index, text, wanted, place=place)


async def shown(uow: UnitOfWork, results: Results) -> list[ShownMaterial]:
    """What was found, as pages show it; a material that is at the school and on the shelf is shown once."""
    found: dict[UUID, ShownMaterial] = {}
    checks = await _checks_of(uow, [hit for _, hit in results.hits if isinstance(hit, ShelfItem)])
    for _, hit in results.hits:
        each = _of_record(hit) if isinstance(hit, MaterialRecord) else _of_item(hit, checks)
        found.setdefault(each.material_id, each)
    return list(found.values())


async def choose(uow: UnitOfWork, tool: LtiTool, visitor: Visitor, ids: Sequence[UUID]) -> tuple[str, str]:
    """Where the choice goes, and the signed message. What the LMS may not see (any more) is left out.

    Raises `material.unknown` when nothing remains.
    """
    wanted, platform = visitor.deep_linking, visitor.platform
    assert wanted is not None
    chosen = await read_several(uow, visitor, ids[: MOST_CHOSEN if wanted.multiple else 1])
    if not chosen:
        raise material_unknown()
    items = [item_of(Chosen(each.material_id, each.title, each.description), tool.base) for each in chosen]
    now = tool.clock.now()
    claims = response_claims(
        items,
        wanted,
        issuer=platform.issuer,
        client_id=platform.client_id,
        deployment=visitor.session.deployment,
        nonce=secrets.token_urlsafe(24),
        now=int(now.timestamp()),
    )
    return wanted.return_url, await tool.keys.sign(uow.session, claims, now)


def _of_record(record: MaterialRecord) -> ShownMaterial:
    version = record.version
    return ShownMaterial(
        material_id=record.material.id,
        number=version.number,
        title=version.title,
        description=version.description,
        type=version.type,
        subject=version.subject,
        grades=version.grades,
        language=version.language,
        licence=version.licence,
        authors=[str(author["name"]) for author in version.authors],
        school=record.material.school_sourced_id,
        files=[
            ShownFile(
                held.file.position,
                held.file.name,
                held.content.media_type,
                held.content.size,
                held.content.sha256,
                held.check,
            )
            for held in record.files
        ],
    )


async def _checks_of(uow: UnitOfWork, items: Sequence[ShelfItem]) -> Mapping[str, FileCheck]:
    return await files.checks_of(uow.session, [file["sha256"] for item in items for file in item.files])


def _of_item(item: ShelfItem, checks: Mapping[str, FileCheck]) -> ShownMaterial:
    return ShownMaterial(
        material_id=item.material_id,
        number=item.number,
        title=item.title,
        description=item.description,
        type=item.type,
        subject=item.subject,
        grades=item.grades,
        language=item.language,
        licence=item.licence,
        authors=[str(author["name"]) for author in item.authors],
        school=item.school_sourced_id,
        files=[
            ShownFile(
                file["position"],
                file["name"],
                file["mediaType"],
                file["size"],
                file["sha256"],
                checks.get(file["sha256"]),
            )
            for file in item.files
        ],
    )
