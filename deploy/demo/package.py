"""Makes OneRoster 1.2.1 CSV packages (bulk) for schools of any size, the same bytes for the same seed.

Vietnamese names; the cases that break naive matching are always in: two learners of the same name in one class, a
learner in two classes, a teacher of two schools. `faults` adds rows as real exports have them, each wrong in one way.
"""

import csv
import io
import json
import random
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAMES: dict[str, list[str]] = json.loads((Path(__file__).parent / "names.json").read_text("utf-8"))

# The subjects of the 2018 curriculum (Circular 32/2018/TT-BGDĐT) by level, those of every level first.
# Codes are the demo vendor's own.
_EVERY_LEVEL = (("ngu-van", "Ngữ văn"), ("toan", "Toán"), ("ngoai-ngu-1", "Ngoại ngữ 1"), ("tin-hoc", "Tin học"))
_ACTIVITIES = (
    ("cong-nghe", "Công nghệ"),
    ("giao-duc-the-chat", "Giáo dục thể chất"),
    ("trai-nghiem-huong-nghiep", "Hoạt động trải nghiệm, hướng nghiệp"),
    ("giao-duc-dia-phuong", "Nội dung giáo dục của địa phương"),
)
SUBJECTS: dict[str, tuple[tuple[str, str], ...]] = {
    "lower_secondary": (
        *_EVERY_LEVEL,
        ("giao-duc-cong-dan", "Giáo dục công dân"),
        ("lich-su-va-dia-li", "Lịch sử và Địa lí"),
        ("khoa-hoc-tu-nhien", "Khoa học tự nhiên"),
        ("nghe-thuat", "Nghệ thuật"),
        *_ACTIVITIES,
    ),
    "upper_secondary": (
        *_EVERY_LEVEL,
        ("lich-su", "Lịch sử"),
        ("dia-li", "Địa lí"),
        ("giao-duc-kinh-te-va-phap-luat", "Giáo dục kinh tế và pháp luật"),
        ("vat-li", "Vật lí"),
        ("hoa-hoc", "Hóa học"),
        ("sinh-hoc", "Sinh học"),
        ("giao-duc-quoc-phong-va-an-ninh", "Giáo dục quốc phòng và an ninh"),
        ("am-nhac", "Âm nhạc"),
        ("mi-thuat", "Mĩ thuật"),
        *_ACTIVITIES,
    ),
}
GRADES = {"lower_secondary": ("6", "7", "8", "9"), "upper_secondary": ("10", "11", "12")}

HEADERS: dict[str, str] = {
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
    "subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,"
    "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}
# Files a package has only when it has rows for them.
MORE_HEADERS: dict[str, str] = {
    "demographics": "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,"
    "blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,"
    "hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,"
    "publicSchoolResidenceStatus",
}
DATA_FILES = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """`learners` are spread over the grades of the level in homeroom classes of at most `class_size`.

    Each homeroom is also taught as `subject_classes` scheduled classes with the same learners.
    """

    sourced_id: str
    level: str = "lower_secondary"
    learners: int = 400
    class_size: int = 40
    subject_classes: int = 0


@dataclass(slots=True)
class Package:
    """Rows by file, all `bulk` or all `delta`; `write` turns them into a ZIP."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in HEADERS})
    mode: str = "bulk"

    def write(self, path: Path) -> None:
        path.write_bytes(self.zipped())

    def zipped(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, lines in self.files():
                # A fixed date: the same plan gives the same bytes, and so the same receipt hash.
                member = zipfile.ZipInfo(f"{name}.csv", date_time=(2026, 9, 1, 0, 0, 0))
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, "".join(lines))
        return buffer.getvalue()

    def files(self) -> Iterator[tuple[str, Iterable[str]]]:
        yield "manifest", _csv(["propertyName", "value"], self._manifest())
        for name, header in (HEADERS | MORE_HEADERS).items():
            if name not in self.rows:
                continue
            columns = header.split(",")
            yield name, _csv(columns, ([row.get(column, "") for column in columns] for row in self.rows[name]))

    def _manifest(self) -> list[list[str]]:
        modes = [[f"file.{name}", self.mode if name in self.rows else "absent"] for name in DATA_FILES]
        return [["manifest.version", "1.0"], ["oneroster.version", "1.2"], *modes, ["source.systemName", "LMS mẫu"]]


def make_package(
    schools: Sequence[SchoolPlan], *, seed: int = 2026, school_year: int = 2027, faults: int = 0
) -> Package:
    """A bulk package for `schools`; `school_year` is the ending year. `faults` rows of each kind of error are added."""
    package = Package()
    package.rows["academicSessions"] = _sessions(school_year)
    for number, school in enumerate(schools):
        _add_school(package, school, random.Random(f"{seed} {school.sourced_id}"), school_year)  # noqa: S311  # repeatable
        if number:
            _share_a_teacher(package, schools[number - 1], school)
    if faults:
        _add_faults(package, schools[0], faults, school_year)
    return package


def _sessions(year: int) -> list[dict[str, str]]:
    def session(sourced_id: str, title: str, kind: str, start: str, end: str, parent: str) -> dict[str, str]:
        return {
            "sourcedId": sourced_id,
            "title": title,
            "type": kind,
            "startDate": start,
            "endDate": end,
            "parentSourcedId": parent,
            "schoolYear": str(year),
        }

    whole = f"nam-hoc-{year}"
    first, second = f"hk1-{year}", f"hk2-{year}"
    return [
        session(whole, f"Năm học {year - 1}-{year}", "schoolYear", f"{year - 1}-09-05", f"{year}-05-31", ""),
        session(first, "Học kỳ I", "semester", f"{year - 1}-09-05", f"{year}-01-17", whole),
        session(second, "Học kỳ II", "semester", f"{year}-01-18", f"{year}-05-31", whole),
    ]


def _add_school(package: Package, school: SchoolPlan, chance: random.Random, year: int) -> None:
    code, rows = school.sourced_id, package.rows
    rows["orgs"].append({"sourcedId": code, "name": f"Trường {code}", "type": "school", "identifier": code})
    grades = GRADES[school.level]
    for subject, title in SUBJECTS[school.level]:
        rows["courses"].append(
            {
                "sourcedId": f"{code}-{subject}",
                "schoolYearSourcedId": f"nam-hoc-{year}",
                "title": title,
                "courseCode": subject,
                "grades": ",".join(grades),
                "orgSourcedId": code,
                "subjects": title,
                "subjectCodes": subject,
            }
        )
    staff = max(1, school.learners // 20)
    teachers = [_person(package, f"{code}-gv-{number:03}", code, "teacher", chance) for number in range(staff)]
    _person(package, f"{code}-ht", code, "principal", chance)
    learner = 0
    for index, grade in enumerate(grades):
        share = school.learners // len(grades) + (index < school.learners % len(grades))
        for room in range(-(-share // school.class_size)):
            size = min(school.class_size, share - room * school.class_size)
            homeroom = _class(package, school, grade, room, year)
            taught = [homeroom, *_subject_classes(package, school, homeroom)]
            for number, class_id in enumerate(taught):
                _enroll(package, school, class_id, teachers[(learner + room + number) % staff], "teacher", year)
            for _ in range(size):
                person = _person(package, f"{code}-hs-{learner:05}", code, "student", chance, grade=grade)
                for class_id in taught:
                    _enroll(package, school, class_id, person, "student", year)
                learner += 1
    _same_name_and_two_classes(package, school, year)


def _class(package: Package, school: SchoolPlan, grade: str, room: int, year: int) -> str:
    subject, title = SUBJECTS[school.level][room % len(_EVERY_LEVEL)]
    sourced_id = f"{school.sourced_id}-{grade}a{room + 1}-{year}"
    package.rows["classes"].append(
        {
            "sourcedId": sourced_id,
            "title": f"{grade}A{room + 1}",
            "grades": grade,
            "courseSourcedId": f"{school.sourced_id}-{subject}",
            "classCode": f"{grade}A{room + 1}",
            "classType": "homeroom",
            "schoolSourcedId": school.sourced_id,
            "termSourcedIds": f"hk1-{year},hk2-{year}",
            "subjects": title,
            "subjectCodes": subject,
        }
    )
    return sourced_id


def _subject_classes(package: Package, school: SchoolPlan, homeroom: str) -> list[str]:
    row = package.rows["classes"][-1]
    assert row["sourcedId"] == homeroom
    made = []
    for number in range(school.subject_classes):
        subject, title = SUBJECTS[school.level][number % len(SUBJECTS[school.level])]
        made.append(f"{homeroom}-mon{number + 1:02}")
        taught = {"sourcedId": made[-1], "title": f"{row['title']} {title}", "classType": "scheduled"}
        course = {"courseSourcedId": f"{school.sourced_id}-{subject}", "subjects": title, "subjectCodes": subject}
        package.rows["classes"].append(row | taught | course)
    return made


def _person(
    package: Package, sourced_id: str, school: str, role: str, chance: random.Random, *, grade: str = ""
) -> str:
    package.rows["users"].append(
        {
            "sourcedId": sourced_id,
            "enabledUser": "true",
            "username": sourced_id,
            "givenName": chance.choice(NAMES["given"]),
            "middleName": chance.choice(NAMES["middle"]),
            "familyName": chance.choice(NAMES["family"]),
            "identifier": sourced_id,
            "grades": grade,
            "primaryOrgSourcedId": school,
        }
    )
    _role(package, sourced_id, school, role, primary=True)
    return sourced_id


def _role(package: Package, person: str, school: str, role: str, *, primary: bool) -> None:
    package.rows["roles"].append(
        {
            "sourcedId": f"{person}-{role}-{school}",
            "userSourcedId": person,
            "roleType": "primary" if primary else "secondary",
            "role": role,
            "orgSourcedId": school,
        }
    )


def _enroll(package: Package, school: SchoolPlan, class_id: str, person: str, role: str, year: int) -> None:
    package.rows["enrollments"].append(
        {
            "sourcedId": f"{class_id}-{person}",
            "classSourcedId": class_id,
            "schoolSourcedId": school.sourced_id,
            "userSourcedId": person,
            "role": role,
            "primary": "true" if role == "teacher" else "",
            "beginDate": f"{year - 1}-09-05",
            "endDate": f"{year}-05-31",
        }
    )


def _same_name_and_two_classes(package: Package, school: SchoolPlan, year: int) -> None:
    learners = [row for row in package.rows["users"] if row["sourcedId"].startswith(f"{school.sourced_id}-hs-")]
    classes = [
        row
        for row in package.rows["classes"]
        if row["schoolSourcedId"] == school.sourced_id and row["classType"] == "homeroom"
    ]
    if len(learners) > 1:
        learners[1].update({name: learners[0][name] for name in ("givenName", "middleName", "familyName")})
    if len(classes) > 1:
        _enroll(package, school, classes[1]["sourcedId"], learners[0]["sourcedId"], "student", year)


def _share_a_teacher(package: Package, one: SchoolPlan, other: SchoolPlan) -> None:
    _role(package, f"{one.sourced_id}-gv-000", other.sourced_id, "teacher", primary=False)


def _add_faults(package: Package, school: SchoolPlan, count: int, year: int) -> None:
    """Three kinds, in falling number: a class nobody sent, a missing family name, a date that is none."""
    chance = random.Random(school.sourced_id)  # noqa: S311  # repeatable, not secret
    for number in range(3 * count):
        _enroll(
            package, school, f"{school.sourced_id}-lop-chua-gui", f"{school.sourced_id}-hs-{number:05}", "student", year
        )
        package.rows["enrollments"][-1]["sourcedId"] += f"-{number}"
    for number in range(2 * count):
        _person(package, f"{school.sourced_id}-loi-{number:03}", school.sourced_id, "student", chance)
        package.rows["users"][-1]["familyName"] = ""
    for number in range(count):
        class_id = package.rows["classes"][0]["sourcedId"]
        _enroll(package, school, class_id, f"{school.sourced_id}-hs-{number + 50:05}", "student", year)
        package.rows["enrollments"][-1].update(
            {"sourcedId": f"{school.sourced_id}-ngay-loi-{number}", "beginDate": f"31/02/{year}"}
        )


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > 65536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
