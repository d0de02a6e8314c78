"""Why a file is not taken in: one sentence for each reason, in both languages."""

from collections.abc import Mapping
from typing import Any

from shared.errors import AppError, Kind, Text

REFUSALS: Mapping[str, Text] = {
    "file.type_unsupported": Text(
        "Nội dung tệp không thuộc loại được nhận (xét theo nội dung, không theo tên tệp).",
        "The file's content is of no accepted type (judged by content, not by name).",
    ),
    "file.damaged": Text(
        "Tệp bị hỏng hoặc chưa tải lên đủ, không đọc được.", "The file is damaged or incomplete and cannot be read."
    ),
    "file.encrypted": Text(
        "Tệp được đặt mật khẩu nên không kiểm tra được. Hãy bỏ mật khẩu.",
        "The file is encrypted and cannot be checked. Remove the password.",
    ),
    "file.macros": Text(
        "Tệp Office có macro không được nhận. Hãy lưu lại ở định dạng không có macro.",
        "Office files with macros are not accepted. Save it in a format without macros.",
    ),
    "file.too_costly": Text(
        "Kiểm tra tệp này tốn quá nhiều thời gian hoặc bộ nhớ nên tệp không được nhận.",
        "Checking this file takes too much time or memory, so it is not accepted.",
    ),
    "file.xml_encoding": Text(
        "Tệp XML trong gói dùng bảng mã không được nhận. Hãy lưu bằng UTF-8.",
        "An XML file in it is in an encoding we do not take. Save it as UTF-8.",
    ),
    "file.too_many_pages": Text("Tệp có quá nhiều trang.", "The file has too many pages."),
    "file.image_too_large": Text(
        "Hình có quá nhiều điểm ảnh để mở an toàn.", "The image has too many pixels to be opened safely."
    ),
    "file.xml_doctype": Text(
        "Tệp XML trong gói có khai báo DOCTYPE hoặc thực thể; vì an toàn, loại này không được nhận.",
        "An XML file in it declares a DOCTYPE or entities, which is not accepted for safety.",
    ),
    "file.xml_invalid": Text("Tệp XML trong gói không hợp lệ.", "An XML file in the package is not well-formed."),
    "archive.too_many_entries": Text("Gói có quá nhiều tệp bên trong.", "The package holds too many files."),
    "archive.too_large": Text("Gói quá lớn sau khi giải nén.", "The package is too large when unpacked."),
    "archive.ratio": Text(
        "Gói nén bất thường (bom nén): giải nén ra lớn hơn rất nhiều lần.",
        "The package is compressed abnormally (a zip bomb): it unpacks to many times its size.",
    ),
    "archive.path_escape": Text(
        "Gói chứa đường dẫn thoát ra ngoài thư mục.", "The package has a path that leaves its folder."
    ),
    "archive.symlink": Text("Gói chứa liên kết tượng trưng (symlink).", "The package holds a symbolic link."),
    "archive.duplicate": Text("Gói chứa hai tệp cùng tên.", "The package holds two files of the same name."),
    "archive.overlap": Text(
        "Các tệp trong gói chồng lên nhau (bom nén).", "Files in the package overlap each other (a zip bomb)."
    ),
    "archive.nameless": Text("Gói chứa một tệp không có tên.", "The package holds a file without a name."),
    "archive.method": Text(
        "Gói nén bằng phương pháp không được nhận; hãy nén lại bằng Deflate (ZIP thông thường).",
        "The package is compressed by a method we do not take; pack it anew with Deflate (plain ZIP).",
    ),
    "archive.nested": Text(
        "Gói chứa một tệp nén khác bên trong; hãy giải nén tệp đó ra.",
        "The package holds another archive; unpack that one into it.",
    ),
    "package.unknown": Text(
        "Tệp nén này không phải gói SCORM, cmi5, Common Cartridge hay H5P: ở gốc thiếu imsmanifest.xml, cmi5.xml hoặc "
        "h5p.json.",
        "This archive is no SCORM, cmi5, Common Cartridge or H5P package: imsmanifest.xml, cmi5.xml or h5p.json is "
        "missing at its root.",
    ),
    "package.manifest_nested": Text(
        "imsmanifest.xml nằm trong thư mục con; hãy nén lại sao cho tệp này ở gốc gói.",
        "imsmanifest.xml lies in a subfolder; pack it anew so that it is at the root.",
    ),
    "package.manifest_invalid": Text("Tệp kê khai của gói không hợp lệ.", "The package's manifest is not valid."),
    "package.version_unknown": Text(
        "Gói theo phiên bản chuẩn không được hỗ trợ.", "The package follows a version of the standard we do not take."
    ),
    "scorm.no_organization": Text(
        "Gói SCORM không có organization nào để phát.", "The SCORM package has no organization to play."
    ),
    "scorm.nothing_to_launch": Text(
        "Gói SCORM không có bài nào mở được.", "Nothing in the SCORM package can be launched."
    ),
    "scorm.resource_missing": Text(
        "Một mục của gói trỏ tới resource không tồn tại.",
        "An item of the package names a resource that does not exist.",
    ),
    "package.file_missing": Text(
        "Gói thiếu một tệp mà bản kê khai nêu để mở bài.", "The package lacks a file that its manifest launches."
    ),
    "cmi5.invalid": Text("Cấu trúc cmi5 không hợp lệ.", "The cmi5 course structure is not valid."),
    "h5p.invalid": Text("Gói H5P không hợp lệ.", "The H5P package is not valid."),
    "h5p.file_type": Text(
        "Gói H5P chứa loại tệp không được phép.", "The H5P package holds a file of a kind that is not allowed."
    ),
}


def refusal(code: str, **details: Any) -> AppError:
    """The refusal of a file; `details` name the place in it, and numbers."""
    return AppError(code, Kind.INVALID, REFUSALS[code], details=details)
