"""The public library as harvesters know it, a repository of OAI-PMH: what it is called and where everything is."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from uuid import UUID

from services.materials.domain.oai import identifier_of

# What the scheme `oai-identifier` takes for the name of a repository.
_DOMAIN = re.compile(r"[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z][A-Za-z0-9-]*)+")
_NO_DOMAIN = "lien-thong.example"


@dataclass(frozen=True, slots=True)
class Repository:
    """`base` is the public address without a slash at its end, `domain` the name in identifiers."""

    base: str
    domain: str
    name: str
    email: str

    @classmethod
    def at(cls, public_url: str, name: str, *, domain: str | None, email: str | None) -> "Repository":
        """Where no domain is given it is the host of the address, where that is one."""
        base = public_url.rstrip("/")
        host = urlsplit(base).hostname or ""
        domain = domain or (host if _DOMAIN.fullmatch(host) else _NO_DOMAIN)
        return cls(base, domain, name, email or f"postmaster@{domain}")

    @property
    def oai(self) -> str:
        return f"{self.base}/oai"

    @property
    def library(self) -> str:
        return f"{self.base}/library"

    def landing(self, material_id: UUID) -> str:
        return f"{self.library}/{material_id}"

    def json_ld(self, material_id: UUID) -> str:
        return f"{self.landing(material_id)}/metadata.jsonld"

    def linkset(self, material_id: UUID) -> str:
        return f"{self.landing(material_id)}/linkset.json"

    def file(self, material_id: UUID, position: int) -> str:
        return f"{self.landing(material_id)}/files/{position}"

    def oai_record(self, material_id: UUID, prefix: str) -> str:
        identifier = quote(identifier_of(self.domain, material_id), safe=":")
        return f"{self.oai}?verb=GetRecord&metadataPrefix={prefix}&identifier={identifier}"
