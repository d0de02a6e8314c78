"""Problem codes that refuse nothing: the documented repairs of `lenient=true`, and what is left at the door always."""

from services.sync.domain.problems import ProblemCode, Severity, Who
from shared.errors import Text


def _repair(code: str, text: tuple[str, str], hint: tuple[str, str]) -> ProblemCode:
    return ProblemCode(f"repair.{code}", Severity.REPAIR, Who.VENDOR, Text(*text), Text(*hint))


def _dropped(code: str, text: tuple[str, str], hint: tuple[str, str]) -> ProblemCode:
    return ProblemCode(f"dropped.{code}", Severity.DROPPED, Who.NOBODY, Text(*text), Text(*hint))


_EXPORT = ("Sửa cách xuất tệp để lần sau không cần sửa hộ.", "Correct the export, so that no repair is needed.")
_MINIMAL = (
    "Không gửi dữ liệu này nữa: quy tắc dữ liệu tối thiểu không cho lưu.",
    "Stop sending it: the minimal-data rule forbids keeping it.",
)

REPAIR_CODES = (
    _repair(
        "statusInBulk",
        (
            "Trong bulk, {field} phải trống: active bị bỏ qua, tobedeleted kết thúc bản ghi.",
            "In bulk mode {field} must be empty: `active` and times are ignored, `tobedeleted` ends the record.",
        ),
        _EXPORT,
    ),
    _repair(
        "statusInactive",
        ("Trạng thái inactive được hiểu là tobedeleted.", "Status `inactive` is taken as `tobedeleted`."),
        _EXPORT,
    ),
    _repair(
        "dateForm",
        (
            "{field}: “{value}” được đọc là ngày/tháng/năm hoặc thời điểm 00:00 UTC của ngày đó.",
            "{field}: “{value}” is read as day/month/year, or as 00:00 UTC of that day where a time is needed.",
        ),
        (
            "Ghi ngày dạng YYYY-MM-DD, thời điểm dạng ISO 8601 có Z.",
            "Write dates YYYY-MM-DD and times ISO 8601 with Z.",
        ),
    ),
    _repair(
        "booleanForm",
        ("{field}: “{value}” được đọc là {expected}.", "{field}: “{value}” is read as {expected}."),
        _EXPORT,
    ),
    _repair(
        "numberForm",
        ("{field}: dấu phẩy thập phân được đọc là dấu chấm.", "{field}: the decimal comma is read as a point."),
        ("Ghi số thập phân với dấu chấm.", "Write decimal numbers with a point."),
    ),
    _repair(
        "wordCase",
        ("{field}: “{value}” được đọc là {expected}.", "{field}: “{value}” is read as {expected}."),
        _EXPORT,
    ),
    _repair(
        "headerMisspelt",
        ("Cột “{value}” được đọc là {field}.", "Column “{value}” is read as {field}."),
        _EXPORT,
    ),
    _repair(
        "headerEmptyCells",
        ("Bỏ {value} ô trống ở cuối dòng tiêu đề.", "{value} empty cells at the end of the header are ignored."),
        _EXPORT,
    ),
    _repair(
        "headerOrder",
        ("Các cột được đọc theo tên, không theo thứ tự.", "Columns are read by name and not by position."),
        _EXPORT,
    ),
    _repair(
        "columnMissing",
        ("Cột không bắt buộc {field} thiếu, coi như trống.", "Optional column {field} is missing and taken as empty."),
        _EXPORT,
    ),
    _repair(
        "columnUnknown",
        ("Cột “{value}” không có trong chuẩn, bị bỏ qua.", "Column “{value}” is not in the standard and is ignored."),
        _EXPORT,
    ),
    _repair(
        "rowLength",
        (
            "Dòng có {value} ô thay vì {expected}: ô trống ở cuối được thêm hoặc bỏ.",
            "The row has {value} cells instead of {expected}: empty cells at the end are added or taken off.",
        ),
        _EXPORT,
    ),
    _repair(
        "fileNameCase",
        ("Tên tệp “{value}” được đọc là {expected}.", "File name “{value}” is read as {expected}."),
        _EXPORT,
    ),
    _repair(
        "fileUnknown",
        ("Tệp không thuộc chuẩn OneRoster, bị bỏ qua.", "The file is not one of OneRoster's and is ignored."),
        _EXPORT,
    ),
    _repair(
        "fileUndeclared",
        ("Tệp được khai absent nên bị bỏ qua.", "The file is declared absent and is ignored."),
        _EXPORT,
    ),
    _repair(
        "manifestMode",
        (
            "Chế độ trống của {field} được hiểu là {expected}.",
            "The empty or missing mode of {field} is taken as {expected}.",
        ),
        _EXPORT,
    ),
    _repair(
        "manifestProperty",
        ("Thuộc tính {field} bị bỏ qua.", "Property {field} is ignored."),
        _EXPORT,
    ),
    _repair(
        "referenceDropped",
        (
            "{field} chỉ tới “{value}”, không có bản ghi này; tham chiếu được bỏ.",
            "{field} points to “{value}”, which does not exist; the reference is dropped.",
        ),
        ("Gửi bản ghi được chỉ tới trong cùng gói.", "Send the record it points to in the same package."),
    ),
    _repair(
        "placeholderCourse",
        (
            "Môn học “{value}” không có; tạo tạm từ tên lớp.",
            "Course “{value}” does not exist; a placeholder is made from the title of the class.",
        ),
        ("Gửi courses.csv.", "Send courses.csv."),
    ),
    _repair(
        "orgType",
        (
            "Đơn vị ghi là {value} nhưng danh bạ ghi {expected}; theo danh bạ.",
            "The org is called {value}, the registry says {expected}; the registry wins.",
        ),
        _EXPORT,
    ),
)
DROPPED_CODES = (
    _dropped(
        "column",
        ("Cột {field} không được lưu ({value} giá trị).", "Column {field} is never kept ({value} values)."),
        _MINIMAL,
    ),
    _dropped(
        "file",
        (
            "Tệp này chứa tài khoản và mật khẩu của hệ thống khác nên không được lưu.",
            "This file holds accounts and passwords of other systems and is never kept.",
        ),
        ("Không gửi tệp này nữa.", "Stop sending the file."),
    ),
    _dropped(
        "family",
        (
            "Vai trò {value} (phụ huynh, người thân) không được lưu.",
            "Role {value} (parents and relatives) is never kept.",
        ),
        _MINIMAL,
    ),
    ProblemCode(
        "dropped.absence",
        Severity.DROPPED,
        Who.VENDOR,
        Text(
            "Có dòng không đọc được là của bản ghi nào, nên không bản ghi nào bị coi là vắng mặt và kết thúc.",
            "Rows do not say whose record they are, so no record counts as absent and none of the file ends.",
        ),
        Text("Sửa các dòng ấy rồi gửi lại cả tệp.", "Mend those rows and send the whole file again."),
    ),
    _dropped(
        "courseUnused",
        (
            "Môn học của cấp trên không lớp nào dùng nên không được lưu.",
            "A course of a higher office that no class uses is not kept.",
        ),
        ("Không cần làm gì.", "Nothing needs to be done."),
    ),
)
