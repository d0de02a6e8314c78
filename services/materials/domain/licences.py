"""Where the text of a licence lies, for machines that read `license`."""

from collections.abc import Mapping

from services.materials.domain.catalogue import Licence

_CC = "https://creativecommons.org"
LICENCE_URLS: Mapping[str, str] = {
    Licence.CC0: f"{_CC}/publicdomain/zero/1.0/",
    Licence.CC_BY: f"{_CC}/licenses/by/4.0/",
    Licence.CC_BY_SA: f"{_CC}/licenses/by-sa/4.0/",
    Licence.CC_BY_NC: f"{_CC}/licenses/by-nc/4.0/",
    Licence.CC_BY_NC_SA: f"{_CC}/licenses/by-nc-sa/4.0/",
    Licence.CC_BY_ND: f"{_CC}/licenses/by-nd/4.0/",
    Licence.CC_BY_NC_ND: f"{_CC}/licenses/by-nc-nd/4.0/",
}
