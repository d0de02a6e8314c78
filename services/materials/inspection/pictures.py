"""Pictures by Pillow: only the formats we take, only as large as is safe to open."""

import io
from typing import TYPE_CHECKING, BinaryIO

from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Inspection, Limits

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
_SIDE = 320


def read_picture(file: BinaryIO, kind: str, limits: Limits) -> Inspection:
    """Raises `file.image_too_large` or `file.damaged`."""
    from PIL import Image  # noqa: PLC0415  # 40 ms that other kinds do not need

    Image.MAX_IMAGE_PIXELS = None  # our own limit below is exact, and an error instead of a warning
    file.seek(0)
    try:
        with Image.open(file, formats=[_FORMATS[kind]]) as picture:
            if picture.width * picture.height > limits.max_pixels:
                raise refusal("file.image_too_large", width=picture.width, height=picture.height)
            picture.draft("RGB", (_SIDE, _SIDE))
            return Inspection(kind, thumbnail=thumbnail_of(picture))
    except (OSError, ValueError, SyntaxError, EOFError) as failure:
        raise refusal("file.damaged") from failure


def thumbnail_of(picture: "Picture") -> bytes:
    """A WebP of at most 320 pixels a side, without the metadata of the original."""
    small = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    small.thumbnail((_SIDE, _SIDE))
    held = io.BytesIO()
    small.save(held, "WEBP", quality=80)
    return held.getvalue()
