"""Files made to harm whoever opens them, made anew at each use."""

import io
import stat
import struct
import zipfile
import zlib

MANIFEST = b"""<?xml version="1.0"?>
<manifest xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2">
<metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>
<organizations default="o"><organization identifier="o"><title>Bai</title>
<item identifier="i" identifierref="r"><title>Bai 1</title></item></organization></organizations>
<resources><resource identifier="r" type="webcontent" adlcp:scormtype="sco" href="a.html"><file href="a.html"/>
</resource>
</resources></manifest>"""


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return held.getvalue()


def package(**more: bytes) -> bytes:
    """A good SCORM 1.2 package, with more files beside it; `__` in a name stands for a slash."""
    others = {name.replace("__", "/"): content for name, content in more.items()}
    return archive({"imsmanifest.xml": MANIFEST, "a.html": b"<html>Bai</html>", **others})


def zip_bomb(megabytes: int = 400) -> bytes:
    """Zeros, packed a thousandfold."""
    return package(big=bytes(megabytes * 1024 * 1024))


def overlapping() -> bytes:
    """Directory entries that all point at the same bytes, as David Fifield's bombs do."""
    raw = package()
    end = raw.rindex(b"PK\x05\x06")
    (count, length, start) = struct.unpack_from("<HLL", raw, end + 10)
    entry = bytearray(raw[start : start + length])
    name_length = struct.unpack_from("<H", entry, 28)[0]
    first = entry[: 46 + name_length]
    twin = bytearray(first)
    twin[46] ^= 1  # another name for the same bytes
    directory = bytes(entry) + bytes(twin)
    tail = bytearray(raw[end:])
    struct.pack_into("<HHL", tail, 8, count + 1, count + 1, len(directory))
    return raw[:start] + directory + bytes(tail)


def named(name: str) -> bytes:
    """A package with one file under a name of its own making."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as target:
        target.writestr("imsmanifest.xml", MANIFEST)
        target.writestr("a.html", b"x")
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        target.writestr(info, b"x")
    return held.getvalue()


def symlink() -> bytes:
    held = io.BytesIO(package())
    with zipfile.ZipFile(held, "a") as target:
        info = zipfile.ZipInfo("shadow")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(info, "/etc/shadow")
    return held.getvalue()


def encrypted() -> bytes:
    raw = bytearray(package())
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def many_entries(count: int) -> bytes:
    """An archive of `count` empty files, its records written by hand: `zipfile` would take minutes for a million."""
    name = b"imsmanifest.xml"
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    records = []
    for number in range(count):
        entry = b"%x" % number
        records.append(
            struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(entry), 0, 0, 0, 0, 0, 0) + entry
        )
    directory = b"".join(records)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), len(local))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(local) + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + directory + end64 + locator + end


def lying_about_entries(count: int) -> bytes:
    """As many entries as `many_entries`, while the end record counts one."""
    raw = bytearray(many_entries(count))
    place = raw.rindex(b"PK\x06\x06")
    struct.pack_into("<2Q", raw, place + 24, 1, 1)
    return bytes(raw)


def lying_in_the_small_record(count: int) -> bytes:
    """`count` entries of a directory that fits, counted as one: no record of ZIP64 is needed to lie."""
    raw = many_entries(count)
    end64 = raw.rindex(b"PK\x06\x06")
    start = raw.index(b"PK\x01\x02")
    return raw[:end64] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, end64 - start, start, 0)


def two_directories(count: int) -> bytes:
    """Its locator points at a small record of ZIP64; the one `zipfile` reads, right before it, has `count` entries."""
    raw = many_entries(count)
    end64 = raw.rindex(b"PK\x06\x06")
    record = bytearray(raw[end64 : end64 + 56])
    struct.pack_into("<4Q", record, 24, 1, 1, 61, 45)
    directory_at = raw.index(b"PK\x01\x02")
    tail = bytearray(raw[end64 + 56 :])
    struct.pack_into("<Q", tail, 8, directory_at)
    return raw[:directory_at] + bytes(record) + raw[directory_at : end64 + 56] + bytes(tail)


def packed_by(method: int) -> bytes:
    """A good package in a method other than Deflate."""
    return archive({"imsmanifest.xml": MANIFEST, "a.html": b"x" * 1000}, method)


def bad_name_in_local_header() -> bytes:
    """The local header says its name is UTF-8 and it is not; the directory knows nothing of it."""
    raw = bytearray(package())
    struct.pack_into("<H", raw, 6, 0x800)
    raw[30] = 0xFF
    return bytes(raw)


def bad_name() -> bytes:
    """The directory says its first name is UTF-8 and it is not."""
    raw = bytearray(package())
    entry = raw.index(b"PK\x01\x02")
    struct.pack_into("<H", raw, entry + 8, 0x800)
    raw[entry + 46] = 0xFF
    return bytes(raw)


def with_manifest(manifest: bytes) -> bytes:
    return archive({"imsmanifest.xml": manifest, "a.html": b"x"})


XXE = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><manifest>&x;</manifest>'


def declared(encoding: str) -> bytes:
    """`XXE` in an encoding of which a search for its letters knows nothing, as the document itself declares."""
    text = XXE.decode().replace('"1.0"?', f'"1.0" encoding="{encoding}"?')
    head, _, rest = text.partition("?>")
    if encoding != "utf-7":
        return text.encode(encoding)
    # The declaration must be read before the encoding is known; what comes after it need not look like XML.
    return (head + "?>").encode() + rest.replace("<", "+ADw-").encode()


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (ord("b") + depth, b"&%c;" % (ord("a") + depth) * 10) for depth in range(10))
    + b"]><manifest>&k;</manifest>"
)
DEEP_XML = b"<manifest>" + b"<item>" * 100_000 + b"</item>" * 100_000 + b"</manifest>"


def looping_pdf() -> bytes:
    """A page tree whose pages are the tree itself."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 100000 >>",
        b"<< /Type /Pages /Kids [2 0 R] /Parent 2 0 R /Count 100000 >>",
    ]
    return pdf(objects)


def pdf(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return body + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def self_drawing_pdf() -> bytes:
    """A page that draws a form which draws itself, many times over."""
    call = b"/F Do " * 1000
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources 6 0 R >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(call), call),
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >> /Length %d >>\n"
            b"stream\n%s\nendstream" % (len(call), call),
            b"<< /XObject << /F 5 0 R >> >>",
        ]
    )


def endless_pdf(megabytes: int = 200) -> bytes:
    """A page whose content unpacks to hundreds of megabytes of text operators, twice deflated."""
    content = zlib.compress(zlib.compress(b"BT /F1 9 Tf (x) Tj ET " * (megabytes * 1024 * 1024 // 22), 9), 9)
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
            b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    )


def png_bomb(side: int = 50_000) -> bytes:
    """A picture of a few bytes that says it is `side` x `side` pixels."""
    head = struct.pack(">2L5B", side, side, 8, 6, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
