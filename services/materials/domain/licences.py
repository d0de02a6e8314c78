"""What a licence, named by its SPDX identifier, says: who may see the material, and where its text lies."""

import re
from enum import StrEnum

_CC = "https://creativecommons.org"
_CREATIVE_COMMONS = re.compile(
    r"CC-(?P<terms>BY(-NC)?(-SA|-ND)?)-(?P<version>1\.0|2\.0|2\.5|3\.0|4\.0)(-(?P<place>[A-Z]{2,4}))?"
)
# Families under which everybody may have the work, as SPDX lists them: free software, free documentation, open data.
_FREE = re.compile(
    r"(0BSD|AGPL|Apache|Artistic|BSD|BSL|EPL|EUPL|FDK|GFDL|GPL|ISC|LGPL|MIT|MPL|NLOD|ODC-By|ODbL|OFL|OGL|PDDL|PSF"
    r"|Python|Unlicense|Zlib)(-.+)?"
)


class Licence(StrEnum):
    """Those a teacher chooses from; any other SPDX identifier is taken as well.

    `LicenseRef-` names are SPDX's form for what has no public identifier.
    """

    CC0 = "CC0-1.0"
    CC_BY = "CC-BY-4.0"
    CC_BY_SA = "CC-BY-SA-4.0"
    CC_BY_NC = "CC-BY-NC-4.0"
    CC_BY_NC_SA = "CC-BY-NC-SA-4.0"
    CC_BY_ND = "CC-BY-ND-4.0"
    CC_BY_NC_ND = "CC-BY-NC-ND-4.0"
    SCHOOL_ONLY = "LicenseRef-school-internal"


def is_public(licence: str) -> bool:
    """May everybody see it: only a Creative Commons or another free licence says so."""
    return licence == Licence.CC0 or bool(_CREATIVE_COMMONS.fullmatch(licence) or _FREE.fullmatch(licence))


def licence_address(licence: str) -> str | None:
    """Where its text lies, for machines that read `license`; None for what is not public."""
    if licence == Licence.CC0:
        return f"{_CC}/publicdomain/zero/1.0/"
    if found := _CREATIVE_COMMONS.fullmatch(licence):
        place = f"{found['place'].lower()}/" if found["place"] else ""
        return f"{_CC}/licenses/{found['terms'].lower()}/{found['version']}/{place}"
    return f"https://spdx.org/licenses/{licence}.html" if _FREE.fullmatch(licence) else None
