"""Problem codes of single rows: the row is refused, the good rows go on."""

from services.sync.domain.problems import ProblemCode, Severity, Who
from shared.errors import Text

_ERROR = Severity.ERROR
_VENDOR = Who.VENDOR
_CORRECT = ("Sửa ô này ở hệ thống nguồn rồi gửi lại.", "Correct the cell in the source system and send again.")


def _code(code: str, text: tuple[str, str], hint: tuple[str, str] = _CORRECT, who: Who = _VENDOR) -> ProblemCode:
    return ProblemCode(code, _ERROR, who, Text(*text), Text(*hint))


ROW_CODES = (
    _code(
        "row.columnCount",
        ("Dòng có {value} ô, tiêu đề có {expected}.", "The row has {value} cells, the header {expected}."),
        (
            "Kiểm tra dấu phẩy và dấu ngoặc kép trong dòng; ô có dấu phẩy phải nằm trong ngoặc kép.",
            "Check commas and quotes in the row; a cell that holds a comma needs double quotes.",
        ),
    ),
    _code(
        "row.unreadable",
        ("Dòng không đọc được theo quy tắc CSV.", "The row cannot be read as CSV."),
        (
            "Kiểm tra dấu ngoặc kép chưa đóng và ô quá dài.",
            "Check for a quote that is never closed and for overlong cells.",
        ),
    ),
    _code(
        "row.notUtf8",
        ("Dòng có ký tự không phải UTF-8.", "The row holds bytes that are not UTF-8."),
        ("Xuất tệp với bảng mã UTF-8.", "Export the file as UTF-8."),
    ),
    _code(
        "ndjson.unreadable",
        (
            'Dòng không phải đối tượng JSON có "type" và "record".',
            'The line is not a JSON object with "type" and "record".',
        ),
        ("Sửa dòng này; các dòng khác vẫn được xử lý.", "Correct the line; the other lines go on."),
    ),
    _code(
        "ndjson.typeUnknown",
        ("Không có loại bản ghi “{value}”.", "There is no type of record “{value}”."),
        (
            "Dùng tên tệp OneRoster: orgs, academicSessions, courses, classes, users, roles, enrollments…",
            "Use the names of OneRoster's files: orgs, academicSessions, courses, classes, users, roles, enrollments…",
        ),
    ),
    _code(
        "ndjson.lineTooLong",
        ("Dòng dài hơn 1 MiB.", "The line is longer than 1 MiB."),
        ("Mỗi dòng chỉ chứa một bản ghi.", "Put one record on a line."),
    ),
    _code(
        "field.unknown",
        ("Không có trường {field} trong loại bản ghi này.", "Records of this type have no field {field}."),
        ("Bỏ trường này hoặc sửa tên trường.", "Leave the field out or correct its name."),
    ),
    _code(
        "field.misshapen",
        ("{field} không có dạng mà trường này nhận.", "{field} does not have the shape this field takes."),
        (
            "Gửi chữ, số, true/false; danh sách cho trường danh sách; đối tượng có sourcedId cho tham chiếu.",
            "Send text, a number, true/false; a list for a list field; an object with sourcedId for a reference.",
        ),
    ),
    _code(
        "record.idDiffers",
        ("{field} khác với địa chỉ ({expected}).", "{field} differs from the path ({expected})."),
        ("Gửi cùng một sourcedId, hoặc bỏ nó khỏi nội dung.", "Send the same sourcedId, or leave it out of the body."),
    ),
    _code("value.required", ("Thiếu giá trị bắt buộc của {field}.", "{field} must not be empty.")),
    _code("value.tooLong", ("{field} dài hơn {expected} ký tự.", "{field} is longer than {expected} characters.")),
    _code("value.controlCharacter", ("{field} có ký tự điều khiển.", "{field} holds a control character.")),
    _code(
        "value.notInList",
        ("{field} là “{value}”, chỉ nhận: {expected}.", "{field} is “{value}”, allowed are: {expected}."),
    ),
    _code(
        "value.notDate",
        ("{field} không phải ngày dạng {expected}: “{value}”.", "{field} is not a date {expected}: “{value}”."),
    ),
    _code(
        "value.notDateTime",
        ("{field} không phải thời điểm dạng {expected}: “{value}”.", "{field} is not a time {expected}: “{value}”."),
    ),
    _code(
        "value.notNumber",
        (
            "{field} không phải số thập phân: tối đa 9 chữ số trước và 6 chữ số sau dấu chấm.",
            "{field} is not a decimal number of at most nine digits before the point and six after.",
        ),
    ),
    _code("value.notBoolean", ("{field} phải là true hoặc false.", "{field} must be true or false.")),
    _code("value.notYear", ("{field} phải là năm bốn chữ số.", "{field} must be a year of four digits.")),
    _code("value.emptyItem", ("Danh sách {field} có phần tử trống.", "The list {field} has an empty item.")),
    _code(
        "value.notUserIds",
        ("{field} phải có dạng {expected}.", "{field} must have the form {expected}."),
    ),
    _code(
        "sourcedId.invalid",
        (
            "{field} chỉ gồm 1 đến 255 ký tự trong A–Z a–z 0–9 . - _ / @ :.",
            "{field} holds 1 to 255 characters of A–Z a–z 0–9 . - _ / @ : only.",
        ),
    ),
    _code(
        "sourcedId.duplicate",
        ("sourcedId này đã có ở dòng {expected}.", "This sourcedId already stands in line {expected}."),
        ("Giữ một dòng cho mỗi sourcedId.", "Keep one row per sourcedId."),
    ),
    _code(
        "sourcedId.taken",
        (
            "sourcedId này đang thuộc một trường khác.",
            "This sourcedId belongs to another school.",
        ),
        (
            "Dùng sourcedId riêng cho từng trường, ví dụ thêm mã trường phía trước.",
            "Use sourcedIds that are unique across schools, for instance with the school's code in front.",
        ),
    ),
    _code(
        "bulk.statusFilled",
        ("Trong chế độ bulk, {field} phải để trống.", "In bulk mode {field} must be empty."),
        (
            "Để trống status và dateLastModified, hoặc khai tệp là delta, hoặc gửi với lenient=true.",
            "Leave status and dateLastModified empty, or declare the file delta, or send with lenient=true.",
        ),
    ),
    _code(
        "dates.reversed",
        ("Ngày kết thúc đứng trước ngày bắt đầu.", "The end date lies before the start date."),
    ),
    _code(
        "org.unknown",
        (
            "Mã đơn vị “{value}” chưa có trong danh bạ hoặc chưa cấp quyền cho bạn.",
            "Org code “{value}” is not in the registry, or not granted to you.",
        ),
        (
            "Đề nghị Sở thêm mã vào danh bạ, hoặc nhà trường cấp quyền cho hệ thống của bạn; mã không được tự đặt.",
            "Ask the department to add the code, or the school to grant your system access; codes are never made up.",
        ),
        Who.DEPARTMENT,
    ),
    _code(
        "org.notSchool",
        ("Đơn vị “{value}” không phải là trường.", "Org “{value}” is not a school."),
        ("Gắn bản ghi với một trường.", "Attach the record to a school."),
    ),
    _code(
        "org.typeDiffers",
        (
            "Danh bạ ghi đơn vị này là {expected}, gói ghi {value}.",
            "The registry says this org is a {expected}, the package says {value}.",
        ),
        (
            "Ghi đúng loại đơn vị, hoặc gửi với lenient=true.",
            "Write the type of the registry, or send with lenient=true.",
        ),
    ),
    _code(
        "registry.unknown",
        (
            "Mã này chưa có trong danh bạ mã do Sở cấp; bản ghi được giữ lại.",
            "This code is not in the department's registry of issued codes; the record is held.",
        ),
        (
            "Đề nghị Sở nạp mã, rồi chạy lại gói (retry); học sinh mới dùng tạm mã provisional:<mã của bạn>.",
            "Ask the department to load the code, then retry; a new learner may carry provisional:<your key>.",
        ),
        Who.DEPARTMENT,
    ),
    _code(
        "reference.unknown",
        ("{field} chỉ tới “{value}”, không có bản ghi này.", "{field} points to “{value}”, which does not exist."),
        (
            "Gửi bản ghi được chỉ tới trong cùng gói, hoặc sửa tham chiếu; nếu nó bị từ chối, sửa nó trước.",
            "Send the record it points to in the same package, or correct it; if it was refused, cure that first.",
        ),
    ),
    _code(
        "reference.ended",
        ("{field} chỉ tới “{value}”, bản ghi này đã kết thúc.", "{field} points to “{value}”, which has ended."),
        (
            "Bỏ dòng này, hoặc giữ bản ghi được chỉ tới ở trạng thái active.",
            "Leave the row out, or keep the record it points to active.",
        ),
    ),
    _code(
        "enrollment.otherSchool",
        ("Lớp thuộc trường khác với schoolSourcedId.", "The class belongs to another school than schoolSourcedId."),
    ),
    _code(
        "user.noRole",
        ("Người dùng không có vai trò nào được nhận ở trường nào.", "The user has no accepted role at any school."),
        (
            "Thêm vai trò của người này vào roles.csv, hoặc sửa lỗi của dòng vai trò.",
            "Add the person's role to roles.csv, or cure the problem of the role's row.",
        ),
    ),
    _code(
        "school.undetermined",
        (
            "Không biết bản ghi này thuộc trường nào.",
            "Nothing in the package says which school this record belongs to.",
        ),
        ("Gửi kèm bản ghi của trường trong orgs.csv.", "Send the school's record in orgs.csv with it."),
    ),
    ProblemCode(
        "import.failed",
        _ERROR,
        Who.NOBODY,
        Text(
            "Hệ thống gặp lỗi nhiều lần khi xử lý gói này và đã dừng lại; chưa có gì được ghi.",
            "Processing this package failed on our side again and again and was stopped; nothing was written.",
        ),
        Text(
            "Báo cho đơn vị vận hành số biên nhận; gửi lại sau khi lỗi được sửa.",
            "Tell the operator the receipt number; send again once it is cured.",
        ),
    ),
)
