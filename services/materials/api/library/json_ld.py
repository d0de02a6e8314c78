"""An item as JSON-LD: schema.org `LearningResource` with the properties that came from LRMI."""

from typing import Any

from services.materials.api.library.described import (
    duration,
    is_url,
    licence_url,
    shared_on,
    subject_codes,
    subject_name,
    type_name,
    utc,
)
from services.materials.domain.repository import Repository
from services.materials.storage.shelf_tables import ShelfItem

MEDIA_TYPE = "application/ld+json"
_CURRICULUM = "Chương trình giáo dục phổ thông 2018"


def json_ld(item: ShelfItem, repository: Repository) -> dict[str, Any]:
    """Members without a value are left out."""
    landing = repository.landing(item.material_id)
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "@id": landing,
        "url": landing,
        "identifier": f"urn:uuid:{item.material_id}",
        "name": item.title,
        "description": item.description,
        "inLanguage": item.language,
        "learningResourceType": [type_name(item).vi, type_name(item).en],
        "educationalLevel": [_term(grade, f"Lớp {grade}", "Khối lớp") for grade in item.grades],
        "about": [_term(code, subject_name(code).vi, _CURRICULUM) for code in subject_codes(item)],
        "teaches": [_term(code, code, _CURRICULUM) for code in item.requirements],
        "license": licence_url(item),
        "copyrightNotice": item.rights_statement,
        "creator": [{"@type": "Person", "name": author["name"]} for author in item.authors],
        "isBasedOn": [_source(source) for source in item.sources],
        "encoding": [_encoding(file, item, repository) for file in item.files],
        "isAccessibleForFree": True,
        "timeRequired": duration(item),
        "datePublished": shared_on(item).isoformat(),
        "dateModified": utc(item.changed_at),
        "version": str(item.number),
        # Of schools this service knows the codes and not the names.
        "sourceOrganization": {"@type": "EducationalOrganization", "identifier": item.school_sourced_id},
        "publisher": {"@type": "Organization", "name": repository.name, "url": repository.library},
    }
    return {name: value for name, value in document.items() if value not in (None, "", [])}


def _term(code: str, name: str, scheme: str) -> dict[str, str]:
    return {"@type": "DefinedTerm", "termCode": code, "name": name, "inDefinedTermSet": scheme}


def _source(source: str) -> dict[str, str]:
    return {"@type": "CreativeWork", "url" if is_url(source) else "name": source}


def _encoding(file: dict[str, Any], item: ShelfItem, repository: Repository) -> dict[str, str]:
    return {
        "@type": "MediaObject",
        "name": file["name"],
        "encodingFormat": file["mediaType"],
        "contentUrl": repository.file(item.material_id, file["position"]),
        "contentSize": f"{file['size']} B",
        "sha256": file["sha256"],
    }
