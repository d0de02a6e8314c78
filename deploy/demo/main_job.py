"""The main job, once, as PRODUCT tells it: from a vendor's ZIP to a report the department has accepted.

Each step is played by the one who does it in life, with that one's own token, through the gateway.
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.demo.city import MAIN_SCHOOL
from deploy.demo.client import Caller, Gateway, RefusedError
from deploy.demo.load import deadline, school_year, today, write
from deploy.demo.package import SchoolPlan, make_package
from deploy.demo.pdf import one_page

LEARNERS = 412
FAULTS = 2
FIELDS = {
    "learners": "Học sinh",
    "teachers": "Giáo viên",
    "classes": "Lớp",
    "approvedMaterials": "Học liệu số đã phê duyệt",
}


class Story:
    """What happened, step by step: printed while it happens, summed up at the end."""

    def __init__(self) -> None:
        self.seconds: list[tuple[str, float]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        print(f"\n▸ {title}", flush=True)
        started = time.perf_counter()
        yield
        self.seconds.append((title, time.perf_counter() - started))

    @staticmethod
    def say(line: str) -> None:
        print(f"    {line}", flush=True)


def play(target: Path) -> None:
    """Play it and note its ids in `.run/demo.json`. Raises `RefusedError` with the system's own words."""
    document = json.loads(target.read_text("utf-8"))
    story = Story()
    print(f"\nCông việc chính (main job) · {MAIN_SCHOOL.name} · {MAIN_SCHOOL.sourced_id}")
    with Gateway(document) as gateway:
        import_id = _deliver(story, gateway)
        material_id = _approve_a_material(story, gateway)
        submission = _report(story, gateway)
        _compare(story, gateway, submission)
    document["mainJob"] = {"importId": import_id, "submissionId": submission["id"], "materialId": material_id}
    write(target, document)
    _sum_up(story, submission)


def _deliver(story: Story, gateway: Gateway) -> str:
    vendor = gateway.client("vendor")
    plan = SchoolPlan(MAIN_SCHOOL.sourced_id, MAIN_SCHOOL.level, learners=LEARNERS)
    content = make_package([plan], school_year=school_year(today()), faults=FAULTS).zipped()
    with story.step("Nhà cung cấp LMS gửi gói OneRoster 1.2 qua cổng (vendor uploads the ZIP)"):
        answer = vendor.send(
            "POST",
            "/sync/v1/imports",
            content=content,
            headers={"Content-Type": "application/zip", "Idempotency-Key": str(uuid.uuid4())},
        )
        place, receipt = answer.headers["location"], answer.json()
        story.say(f"biên nhận {receipt['receipt']} · {receipt['size']} byte · sha256 {receipt['sha256'][:16]}…")
    with story.step("Kiểm tra từng dòng và so với dữ liệu hiện có (every row is checked and compared)"):
        checked = vendor.wait_for(place, until=lambda found: found["state"] not in {"received", "validating"})
        for counts in checked["files"]:
            story.say(
                f"{counts['file']:<22} đọc {counts['read']:>5} · nhận {counts['accepted']:>5} · từ chối "
                f"{counts['refused']:>3} · thêm {counts['added']:>5} · đổi {counts['changed']:>3} · "
                f"kết thúc {counts['removed']:>3}"
            )
        _tell_problems(story, vendor, place)
    with story.step("Ghi vào cơ sở dữ liệu giáo dục (commit)"):
        _require(checked["state"] == "ready", f"the import is {checked['state']} and not ready")
        vendor.send("POST", f"{place}/commit", headers={"Idempotency-Key": str(uuid.uuid4())})
        done = vendor.wait_for(place, until=lambda found: found["state"] not in {"ready", "committing"})
        _require(done["state"] == "committed", f"the import ended as {done['state']}")
        story.say(f"trạng thái {done['state']} · {done['id']}")
    return str(receipt["id"])


def _tell_problems(story: Story, vendor: Caller, place: str) -> None:
    summary = vendor.get(f"{place}/problems/summary")["items"]
    refusals = [each for each in summary if each["severity"] == "error"]
    story.say(f"{sum(each['count'] for each in refusals)} dòng bị từ chối; ba lý do thường gặp nhất:")
    for each in refusals[:3]:
        story.say(f"  {each['count']:>3} × {each['code']:<28} {each['message']}")


def _approve_a_material(story: Story, gateway: Gateway) -> str:
    with story.step("Giáo viên gửi học liệu, tổ chuyên môn thông qua, hiệu trưởng phê duyệt (two review steps)"):
        teacher = gateway.person("teacher")
        metadata = {
            "schoolSourcedId": MAIN_SCHOOL.sourced_id,
            "title": "Tập hợp số tự nhiên",
            "description": "Bài giảng cho lớp 6, chương I.",
            "type": "e_lecture",
            "subject": "mathematics",
            "grades": ["6"],
            "licence": "CC-BY-4.0",
        }
        pdf = one_page("Tap hop so tu nhien", "Lop 6, chuong I", str(uuid.uuid4()))
        parts = {
            "metadata": (None, json.dumps(metadata), "application/json"),
            "file": ("tap-hop-so-tu-nhien.pdf", pdf, "application/pdf"),
        }
        material = teacher.send("POST", "/materials/v1/materials", files=parts).json()
        place = f"/materials/v1/materials/{material['id']}"
        teacher.send("POST", f"{place}/submit")
        gateway.person("group_lead").send("POST", f"{place}/pass")
        approved = gateway.person("head").send("POST", f"{place}/approve").json()
        story.say(f"{approved['title']} · trạng thái {approved['state']} · dùng được: {approved['usable']}")
    return str(material["id"])


def _report(story: Story, gateway: Gateway) -> dict[str, Any]:
    officer = gateway.person("department_officer")
    with story.step("Sở mở đợt báo cáo cuối học kỳ I; báo cáo của trường đã được điền sẵn (prefilled)"):
        campaign = officer.send("POST", "/reporting/v1/campaigns", json=_campaign()).json()
        head = gateway.person("head")
        listed = head.get("/reporting/v1/submissions", campaign=campaign["id"])["items"]
        _require(len(listed) == 1, "the head sees exactly the own school's submission")
        place = f"/reporting/v1/submissions/{listed[0]['id']}"
        found = head.wait_for(place, until=_prefilled)
        for field in found["fields"]:
            if field["prefilled"] is not None:
                source = field["prefilled"]["source"]
                origin = f"{source['service']} · {source['event']} · {field['prefilled']['asOf']}"
                story.say(f"{FIELDS[field['name']]:<26} {field['prefilled']['value']:>5}   từ {origin}")
        story.say(f"hạn nộp: {found['deadline']['text']['vi']}")
    with story.step("Hiệu trưởng bổ sung, xác nhận và nộp (the head certifies and submits)"):
        values = {
            "difficulties": {"value": ["Đường truyền yếu ở hai phòng học."]},
            "causes": {"value": ["Thiết bị mạng đã cũ."]},
            "proposals": {"value": ["Đề nghị hỗ trợ thay thiết bị mạng."]},
        }
        head.send("PATCH", place, json={"values": values}, headers={"If-Match": "*"})
        submitted = head.send("POST", f"{place}/submit", headers={"If-Match": "*"}).json()
        story.say(f"trạng thái {submitted['state']} · trễ hạn: {submitted['late']} · {submitted['submittedAt']}")
    with story.step("Sở tiếp nhận; cổng quanly đọc kết quả (accepted, and read by the portal)"):
        officer.send("POST", f"{place}/accept")
        accepted: dict[str, Any] = gateway.client("portal").get(place)
        _require(accepted["state"] == "accepted", f"the submission is {accepted['state']}")
        story.say(f"trạng thái {accepted['state']} · {accepted['acceptedAt']}")
    return accepted


def _campaign() -> dict[str, Any]:
    year = school_year(today())
    return {
        "template": "semester-1",
        "schoolYear": f"{year - 1}-{year}",
        "semester": 1,
        "notice": {"number": "01/TB-SGDĐT (mẫu)", "date": today().isoformat(), "issuer": "Sở GDĐT (thành phố mẫu)"},
        "deadline": {"kind": "notice", "at": deadline().isoformat(), "inclusive": True},
        "levels": ["lower_secondary", "upper_secondary"],
    }


def _prefilled(submission: dict[str, Any]) -> bool:
    numbers = {field["name"]: field["prefilled"] for field in submission["fields"] if field["name"] in FIELDS}
    return all(numbers.values()) and numbers["approvedMaterials"]["value"] >= 1


def _compare(story: Story, gateway: Gateway, submission: dict[str, Any]) -> None:
    reported = {field["name"]: field["value"] for field in submission["fields"]}
    with story.step("Đối chiếu với OneRoster (the prefilled numbers equal what OneRoster returns)"):
        vendor = gateway.client("vendor")
        base = f"/ims/oneroster/rostering/v1p2/schools/{MAIN_SCHOOL.sourced_id}"
        for name, path in (("learners", "students"), ("teachers", "teachers"), ("classes", "classes")):
            counted = int(vendor.send("GET", f"{base}/{path}", params={"limit": 1}).headers["x-total-count"])
            _require(counted == reported[name], f"OneRoster counts {counted} {path}, the report says {reported[name]}")
            story.say(f"{FIELDS[name]:<26} {counted:>5} = {reported[name]}")


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise RefusedError(otherwise)


def _sum_up(story: Story, submission: dict[str, Any]) -> None:
    print("\nThời gian từng bước (seconds per step)")
    for title, seconds in story.seconds:
        print(f"  {seconds:6.2f} s  {title}")
    print(f"  {sum(seconds for _, seconds in story.seconds):6.2f} s  tổng cộng (total)")
    print(f"\nBáo cáo {submission['id']} đã được Sở tiếp nhận (accepted).", flush=True)
