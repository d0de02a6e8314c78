"""What a token may allow: the scopes that exist, and the ones each role of a person brings along.

Roles are those of the letters (`hiệu trưởng`, `tổ trưởng`, …); the OneRoster scopes are 1EdTech's own URLs.
"""

from collections.abc import Iterable, Mapping

from shared.errors import Text

ONEROSTER = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
ROSTER_CORE = f"{ONEROSTER}roster-core.readonly"
ROSTER = f"{ONEROSTER}roster.readonly"

SCOPES: Mapping[str, Text] = {
    "sync.read": Text("Đọc dữ liệu và kết quả đồng bộ", "Read synchronised data and the results of imports"),
    "sync.import": Text("Nộp gói OneRoster và chốt đợt nhập", "Hand in OneRoster packages and commit them"),
    "sync.orgs": Text("Cập nhật cây đơn vị", "Maintain the tree of org units"),
    "materials.read": Text("Đọc kho học liệu số", "Read the material library"),
    "materials.write": Text("Tạo và sửa học liệu số", "Create and change materials"),
    "materials.review": Text("Thông qua, phê duyệt học liệu số", "Pass and approve materials"),
    "materials.appraise": Text(
        "Đề xuất, thẩm định cho kho dùng chung", "Propose to the shared library, appraise for it"
    ),
    "materials.catalogue": Text(
        "Nhập khung yêu cầu cần đạt của chương trình", "Import the requirements of the curriculum"
    ),
    "materials.lti": Text("Quản lý LMS được mở kho học liệu", "Manage which LMS may open the library"),
    "reporting.read": Text("Đọc báo cáo", "Read reports"),
    "reporting.write": Text("Điền và nộp báo cáo", "Fill in and submit reports"),
    "reporting.manage": Text("Mở đợt, tiếp nhận, trả lại báo cáo", "Open campaigns, accept and return reports"),
    ROSTER_CORE: Text("OneRoster 1.2: đọc các danh sách cốt lõi", "OneRoster 1.2: read the core lists"),
    ROSTER: Text("OneRoster 1.2: đọc toàn bộ danh sách", "OneRoster 1.2: read all lists"),
    f"{ONEROSTER}roster-demographics.readonly": Text(
        "OneRoster 1.2: đọc ngày sinh và giới tính", "OneRoster 1.2: read birth dates and sexes"
    ),
    f"{ONEROSTER}gradebook-core.readonly": Text(
        "OneRoster 1.2: đọc điểm cốt lõi", "OneRoster 1.2: read the core marks"
    ),
    f"{ONEROSTER}gradebook.readonly": Text("OneRoster 1.2: đọc toàn bộ điểm", "OneRoster 1.2: read all marks"),
    f"{ONEROSTER}gradebook.createput": Text("OneRoster 1.2: ghi điểm, cột điểm", "OneRoster 1.2: write marks"),
    f"{ONEROSTER}gradebook.createpost": Text(
        "OneRoster 1.2: thêm nhiều điểm, cột điểm", "OneRoster 1.2: add sets of marks"
    ),
    f"{ONEROSTER}gradebook.delete": Text("OneRoster 1.2: xóa điểm, cột điểm", "OneRoster 1.2: end marks"),
    f"{ONEROSTER}assessment.readonly": Text("OneRoster 1.2: đọc kết quả đánh giá", "OneRoster 1.2: read assessments"),
    f"{ONEROSTER}assessment.createput": Text("OneRoster 1.2: ghi kết quả đánh giá", "OneRoster 1.2: write assessments"),
    f"{ONEROSTER}assessment.delete": Text("OneRoster 1.2: xóa kết quả đánh giá", "OneRoster 1.2: end assessments"),
    f"{ONEROSTER}resource-core.readonly": Text(
        "OneRoster 1.2: đọc danh mục học liệu", "OneRoster 1.2: read the core resources"
    ),
    f"{ONEROSTER}resource.readonly": Text("OneRoster 1.2: đọc toàn bộ học liệu", "OneRoster 1.2: read all resources"),
    "https://purl.imsglobal.org/spec/or/v1p1/scope/roster.readonly": Text(
        "OneRoster 1.1: đọc danh sách", "OneRoster 1.1: read the lists"
    ),
}

_ROSTER_SCOPES = frozenset({ROSTER_CORE, ROSTER})

SCOPES_OF_ROLE: Mapping[str, frozenset[str]] = {
    "head": _ROSTER_SCOPES
    | {"sync.read", "sync.import"}
    | {"materials.read", "materials.write", "materials.review", "materials.appraise"}
    | {"reporting.read", "reporting.write"},
    "data_officer": _ROSTER_SCOPES
    | {"sync.read", "sync.import", "materials.read", "reporting.read", "reporting.write"},
    "group_lead": frozenset({"materials.read", "materials.write", "materials.review", "materials.appraise"}),
    # A teacher may be given a duty of the review; without one the scope lets nothing be decided.
    "teacher": frozenset({"materials.read", "materials.write", "materials.review", "materials.appraise"}),
    "deputy_head": frozenset({"materials.read", "materials.write", "materials.review", "materials.appraise"}),
    "librarian": frozenset({"materials.read", "materials.write", "materials.review", "materials.appraise"}),
    "department_officer": _ROSTER_SCOPES
    | {"sync.read", "sync.orgs", "reporting.read", "reporting.manage"}
    | {"materials.read", "materials.appraise", "materials.catalogue", "materials.lti"},
    # A commune receives and returns the reports of its schools.
    "commune_officer": frozenset({"sync.read", "materials.read", "reporting.read", "reporting.manage"}),
}


def scopes_of_roles(roles: Iterable[str]) -> frozenset[str]:
    """All that these roles allow together; a role nobody knows allows nothing."""
    return frozenset[str]().union(*(SCOPES_OF_ROLE.get(role, frozenset()) for role in roles))


def in_order(scopes: Iterable[str]) -> str:
    """Scopes as OAuth writes them: space separated, in a stable order."""
    return " ".join(sorted(scopes))
