"""What the XML documents of the public library have in common."""

import re
from typing import Any

from lxml import etree

from services.materials.inspection.safe_xml import Element

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# XML 1.0 has no way to write these.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def namespaces(default: str, **others: str) -> dict[Any, str]:
    """For `nsmap`: lxml's name of the namespace without a prefix is None, which its stubs do not know."""
    return {None: default, **others}


def written(root: Element) -> bytes:
    """The whole document, in UTF-8."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
