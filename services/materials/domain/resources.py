"""Materials as OneRoster 1.2 `resource` objects: their fields, and which scopes open which list.

Source: OneRoster 1.2 resources service, REST/JSON binding. The rostering provider has a resources service of its own
under `/ims/oneroster`, with what vendors hand in; the library's stands below the library.
"""

from collections.abc import Mapping
from typing import Literal

BASE = "/materials/ims/oneroster/resources/v1p2"
Kind = Literal["text", "instant", "list"]
FIELDS: Mapping[str, Kind] = {
    "sourcedId": "text",
    "status": "text",
    "dateLastModified": "instant",
    "title": "text",
    "roles": "list",
    "importance": "text",
    "vendorResourceId": "text",
    "vendorId": "text",
    "applicationId": "text",
}
# What `fields` may name; `metadata` is no field one can filter or sort by.
SELECTABLE = frozenset({*FIELDS, "metadata"})
APPLICATION = "lien-thong-library"
_SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
FULL = (f"{_SCOPE}resource.readonly",)
CORE = (*FULL, f"{_SCOPE}resource-core.readonly")
