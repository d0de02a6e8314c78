"""Names of files as people give them: kept for people, never used as a path."""

import string
import unicodedata

from services.materials.domain.file_types import FileType
from shared.errors import invalid

MAX_LENGTH = 200
# Without what would end or escape a quoted string.
_PLAIN = frozenset(string.ascii_letters + string.digits + " !#$&'()+,-.;=@[]^_`{}~")


def checked_name(name: str) -> str:
    """The name in NFC without outer spaces. Raises `file.name_invalid` for a path, a control character or no name."""
    clean = unicodedata.normalize("NFC", name).strip()
    is_path = any(mark in clean for mark in "/\\") or clean.strip(".") == ""
    hidden = any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in clean)
    if is_path or hidden or len(clean) > MAX_LENGTH:
        raise invalid(
            "file.name_invalid",
            vi=f"Tên tệp không hợp lệ: 1 đến {MAX_LENGTH} ký tự, không có '/', '\\' hay ký tự điều khiển.",
            en=f"The file's name is not valid: 1 to {MAX_LENGTH} characters, no '/', '\\' or control character.",
        )
    return clean


def download_name(name: str, kind: FileType) -> str:
    """The name to save the file under: with an ending that fits its content, whatever it was called."""
    return name if name.lower().endswith(kind.extensions) else name + kind.extensions[0]


def ascii_name(name: str) -> str:
    """The name in plain ASCII, for the `filename` of old clients (RFC 6266): tone marks dropped, the rest `_`."""
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    kept = (letter for letter in plain if unicodedata.category(letter) != "Mn")
    return "".join(letter if letter in _PLAIN else "_" for letter in kept)
