"""Problem codes of the package as a whole: found at the door, before anything is stored."""

from services.sync.domain.problems import ProblemCode, Severity, Who
from shared.errors import Text


def _code(code: str, text: tuple[str, str], hint: tuple[str, str]) -> ProblemCode:
    return ProblemCode(code, Severity.ERROR, Who.VENDOR, Text(*text), Text(*hint))


_REPACK = (
    "Nén lại gói bằng công cụ ZIP thông thường, chỉ gồm các tệp CSV ở thư mục gốc.",
    "Pack again with an ordinary ZIP tool, with nothing but the CSV files at the root.",
)
_HEADER_HINT = (
    "Ghi dòng tiêu đề đúng tên và đúng thứ tự của chuẩn OneRoster, hoặc gửi lại với lenient=true.",
    "Write the header with the standard's names in the standard's order, or send again with lenient=true.",
)
_MANIFEST_HINT = (
    "Sửa manifest.csv theo chuẩn OneRoster; mỗi tệp dữ liệu có một dòng file.<tên> với absent, bulk hoặc delta.",
    "Correct manifest.csv as the OneRoster standard says: one line file.<name> per data file, absent, bulk or delta.",
)

PACKAGE_CODES = (
    _code(
        "ndjson.damaged",
        ("Tệp nén bị hỏng hoặc bị cắt cụt.", "The compressed file is damaged or cut short."),
        ("Nén lại bằng gzip hoặc zstd rồi gửi lại trọn vẹn.", "Compress again with gzip or zstd and send all of it."),
    ),
    _code(
        "ndjson.nothing",
        ("Tệp không có dòng nào có loại bản ghi biết được.", "No line of the file has a type of record that is known."),
        (
            'Mỗi dòng là một đối tượng có "type" (tên tệp OneRoster, ví dụ classes) và "record".',
            'Each line is an object with "type" (the name of a OneRoster file, as classes) and "record".',
        ),
    ),
    _code("zip.notZip", ("Tệp gửi lên không phải là ZIP.", "The upload is not a ZIP file."), _REPACK),
    _code("zip.damaged", ("Tệp ZIP bị hỏng ở {value}.", "The ZIP file is damaged at {value}."), _REPACK),
    _code("zip.empty", ("Tệp ZIP không có nội dung.", "The ZIP file holds nothing."), _REPACK),
    _code(
        "zip.tooManyEntries",
        ("Tệp ZIP có quá nhiều mục: {value}, tối đa {expected}.", "Too many ZIP entries: {value}, at most {expected}."),
        _REPACK,
    ),
    _code(
        "zip.tooLarge",
        (
            "Nội dung giải nén quá lớn: {value} byte, tối đa {expected}.",
            "Unpacked it is too large: {value} bytes, at most {expected}.",
        ),
        ("Chia gói theo trường.", "Split the package by school."),
    ),
    _code(
        "zip.ratio",
        (
            "Tỉ lệ nén bất thường ({value} lần, tối đa {expected}): nghi là bom ZIP.",
            "Abnormal compression ratio ({value}x, at most {expected}): this looks like a ZIP bomb.",
        ),
        _REPACK,
    ),
    _code(
        "zip.path",
        ("Tên mục có đường dẫn: {value}.", "An entry's name holds a path: {value}."),
        ("Đặt mọi tệp CSV ở thư mục gốc của ZIP.", "Put every CSV file at the root of the ZIP."),
    ),
    _code("zip.symlink", ("Mục {value} là liên kết.", "Entry {value} is a link."), _REPACK),
    _code(
        "zip.encrypted",
        ("Mục {value} được đặt mật khẩu.", "Entry {value} is encrypted."),
        ("Gửi ZIP không mật khẩu; đường truyền đã được mã hóa.", "Send it unencrypted; the connection is encrypted."),
    ),
    _code("zip.nested", ("Mục {value} là một tệp nén khác.", "Entry {value} is another archive."), _REPACK),
    _code("zip.duplicateName", ("Hai mục cùng tên {value}.", "Two entries are named {value}."), _REPACK),
    _code(
        "zip.method",
        ("Mục {value} dùng cách nén không được nhận.", "Entry {value} uses a compression method not accepted."),
        ("Dùng cách nén Deflate hoặc không nén.", "Use Deflate or no compression."),
    ),
    _code("manifest.missing", ("Thiếu manifest.csv.", "manifest.csv is missing."), _MANIFEST_HINT),
    _code("manifest.unreadable", ("Không đọc được manifest.csv.", "manifest.csv cannot be read."), _MANIFEST_HINT),
    _code(
        "manifest.header",
        ("Tiêu đề của manifest.csv phải là propertyName,value.", "The header of manifest.csv is propertyName,value."),
        _MANIFEST_HINT,
    ),
    _code(
        "manifest.version",
        ("{field} là “{value}”, cần {expected}.", "{field} is “{value}”, needed is {expected}."),
        _MANIFEST_HINT,
    ),
    _code(
        "manifest.propertyMissing",
        ("Thiếu thuộc tính {field} trong manifest.csv.", "Property {field} is missing in manifest.csv."),
        _MANIFEST_HINT,
    ),
    _code(
        "manifest.propertyUnknown",
        ("Thuộc tính {field} không có trong chuẩn.", "The standard has no property {field}."),
        _MANIFEST_HINT,
    ),
    _code(
        "manifest.propertyTwice",
        ("Thuộc tính {field} xuất hiện hai lần.", "Property {field} appears twice."),
        _MANIFEST_HINT,
    ),
    _code(
        "manifest.mode",
        ("Chế độ của {field} là “{value}”, cần {expected}.", "The mode of {field} is “{value}”, needed is {expected}."),
        _MANIFEST_HINT,
    ),
    _code(
        "manifest.nothing",
        ("Không tệp dữ liệu nào được khai bulk hoặc delta.", "No data file is declared bulk or delta."),
        _MANIFEST_HINT,
    ),
    _code(
        "file.missing",
        ("Đã khai trong manifest.csv nhưng không có trong ZIP.", "Declared in manifest.csv but not in the ZIP."),
        _MANIFEST_HINT,
    ),
    _code(
        "file.undeclared",
        ("Có trong ZIP nhưng manifest.csv khai là absent.", "It is in the ZIP, but manifest.csv declares it absent."),
        _MANIFEST_HINT,
    ),
    _code(
        "file.unknown",
        ("Tệp không thuộc chuẩn OneRoster.", "The file is not one of OneRoster's."),
        ("Bỏ tệp khỏi gói, hoặc gửi với lenient=true.", "Leave it out, or send with lenient=true."),
    ),
    _code(
        "file.nameCase",
        ("Tên tệp sai chữ hoa, thường; cần {expected}.", "The file name has wrong letter case; needed is {expected}."),
        ("Đổi tên tệp, hoặc gửi với lenient=true.", "Rename the file, or send with lenient=true."),
    ),
    _code(
        "file.empty",
        ("Tệp không có dòng tiêu đề.", "The file has no header line."),
        ("Ghi dòng tiêu đề dù không có dữ liệu.", "Write the header even when there are no rows."),
    ),
    _code(
        "file.notUtf8",
        ("Dòng tiêu đề không phải UTF-8.", "The header line is not UTF-8."),
        ("Lưu tệp với bảng mã UTF-8.", "Save the file as UTF-8."),
    ),
    _code(
        "header.missing",
        ("Thiếu cột {field} (cột {expected}).", "Column {field} is missing ({expected})."),
        _HEADER_HINT,
    ),
    _code(
        "header.unknown", ("Cột “{value}” không có trong chuẩn.", "The standard has no column “{value}”."), _HEADER_HINT
    ),
    _code("header.twice", ("Cột {field} xuất hiện hai lần.", "Column {field} appears twice."), _HEADER_HINT),
    _code(
        "header.order",
        (
            "Các cột không đúng thứ tự của chuẩn: {expected}.",
            "The columns are not in the standard's order: {expected}.",
        ),
        _HEADER_HINT,
    ),
    _code(
        "header.misspelt",
        ("Tên cột viết sai: “{value}”, đúng là {field}.", "Misspelt column “{value}”, it should be {field}."),
        _HEADER_HINT,
    ),
    _code(
        "header.emptyCells",
        ("Dòng tiêu đề có {value} ô trống ở cuối.", "The header ends with {value} empty cells."),
        _HEADER_HINT,
    ),
)
