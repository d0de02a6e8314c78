"""Catalogues as data: the code lists of the sector, each with a version and its confidence.

An entry that was not checked against the official text is `verified: false`: map it by label, never by code. The
subjects' codes are our own and the same as those of the materials service.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def code_lists() -> Mapping[str, Mapping[str, Any]]:
    """Every catalogue by name."""
    document = json.loads(Path(__file__).with_name("code_lists.json").read_text(encoding="utf-8"))
    return {each["name"]: each for each in document}


def tag_of(content: Any) -> str:
    """A strong ETag of what is answered."""
    return '"' + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32] + '"'
