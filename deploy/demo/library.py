"""The library's story, once: from a teacher's draft to the city's shared shelf, and a new version beside it.

Two schools take part, two reviewers of a third and a fourth appraise; each step is played by the one who does it in
life, with that one's own token, through the gateway.
"""

import base64
import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.demo.city import SECOND_SCHOOL
from deploy.demo.client import Caller, Gateway, RefusedError
from deploy.demo.main_job import Story
from deploy.demo.pdf import one_page

API = "/materials/v1"
REVIEWERS = ("teacher", "third_teacher")
SCORES = {"accuracy": 24, "curriculum": 23, "pedagogy": 22, "technique": 13, "rights": 9}
_TUS = {"Tus-Resumable": "1.0.0"}
_PIECES = 4


def play(target: Path) -> str:
    """Play it against the running stack; the material's id. Raises `RefusedError` with the system's own words."""
    document = json.loads(target.read_text("utf-8"))
    story = Story()
    print("\nKho học liệu số (the library): từ bản nháp đến kho dùng chung")
    with Gateway(document) as gateway:
        material = _draft(story, gateway)
        _review(story, gateway, material)
        _share(story, gateway, material)
        _renew(story, gateway, material)
        _find(story, gateway, material)
    print(f"\nHọc liệu {material} ở kho dùng chung: {document['gateway']}{API}/shelf/{material}", flush=True)
    return material


def _draft(story: Story, gateway: Gateway) -> str:
    teacher = gateway.person("second_teacher")
    with story.step("Giáo viên tạo bản nháp và tải tệp lên từng phần, nối lại sau khi đứt (tus)"):
        metadata = {
            "schoolSourcedId": SECOND_SCHOOL.sourced_id,
            "title": "Phân số bằng nhau và quy đồng mẫu số",
            "description": "Bài giảng có ví dụ và bài tập cho lớp 6.",
            "type": "e_lecture",
            "subject": "mathematics",
            "grades": ["6"],
            "authors": [{"name": "Tổ Toán, Trường THCS Bình Minh"}],
            "licence": "CC-BY-4.0",
            "sources": ["Sách giáo khoa Toán 6"],
            "duration": "PT45M",
        }
        material = teacher.send("POST", f"{API}/materials", json=metadata).json()
        upload = _upload(teacher, one_page("Phan so bang nhau", str(uuid.uuid4())), "phan-so.pdf")
        place = f"{API}/materials/{material['id']}"
        filled = teacher.send("POST", f"{place}/files", json={"upload": upload}).json()
        check = filled["files"][0]["check"]
        story.say(f"{filled['title']} · {check['kind']}, {check['pages']} trang · quét virus: {check['scan']}")
    return str(material["id"])


def _upload(who: Caller, content: bytes, name: str) -> str:
    """By tus, in pieces, asking before each how far the upload has come; the upload's id."""
    said = _TUS | {
        "Upload-Length": str(len(content)),
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
    }
    place = urlsplit(who.send("POST", f"{API}/uploads", headers=said).headers["location"]).path
    step = len(content) // _PIECES + 1
    while (offset := int(who.send("HEAD", place, headers=_TUS).headers["upload-offset"])) < len(content):
        headers = _TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        who.send("PATCH", place, headers=headers, content=content[offset : offset + step])
    return place.rpartition("/")[2]


def _review(story: Story, gateway: Gateway, material: str) -> None:
    place = f"{API}/materials/{material}"
    with story.step("Tổ chuyên môn thông qua, hiệu trưởng phê duyệt: trường dùng được (both steps)"):
        gateway.person("second_teacher").send("POST", f"{place}/submit")
        lead = gateway.person("second_lead")
        waiting = lead.get(f"{API}/review-queue")["items"]
        _require(material in {item["id"] for item in waiting}, "the material waits for the group lead")
        lead.send("POST", f"{place}/comments", json={"text": "Ví dụ 2 rất hay.", "position": 1})
        lead.send("POST", f"{place}/pass")
        approved = gateway.person("second_head").send("POST", f"{place}/approve").json()
        story.say(f"trạng thái {approved['state']} · phiên bản đang dùng: {approved['inUse']}")


def _share(story: Story, gateway: Gateway, material: str) -> None:
    officer = gateway.person("department_officer")
    with story.step("Sở chỉ định người thẩm định do các trường đề cử (the panel)"):
        _appoint(gateway, officer)
    with story.step("Hiệu trưởng đề xuất; hai người ở trường khác thẩm định độc lập; Sở quyết định (shared)"):
        head = gateway.person("second_head")
        proposal = head.send("POST", f"{API}/materials/{material}/propose").json()
        place = f"{API}/proposals/{proposal['id']}"
        for name in REVIEWERS:
            _appraise(gateway.person(name), material)
        board = officer.get(place)
        story.say(f"{len(board['appraisals'])} thẩm định · bất đồng: {board['disagreements'] or 'không'}")
        shared = officer.send("POST", f"{place}/share").json()
        story.say(f"trạng thái {shared['state']} · phiên bản {shared['versionNumber']}")


def _appoint(gateway: Gateway, officer: Caller) -> None:
    """The first school's head nominates; the department appoints, and adds a reviewer of the third school itself."""
    serving = {each["person"] for each in officer.get(f"{API}/panel/members", waiting="false")["items"]}
    today = dt.datetime.now(dt.UTC).date().isoformat()
    subjects = {"subjects": ["mathematics"], "levels": ["lower_secondary"]}
    first, third = (gateway.whois(name) for name in REVIEWERS)
    if first["subject"] not in serving:
        person = {"person": first["subject"], "schoolSourcedId": first["org"]}
        named = gateway.person("head").send("POST", f"{API}/panel/nominations", json=person | subjects).json()
        officer.send("POST", f"{API}/panel/members/{named['id']}/appoint", json={"validFrom": today})
    if third["subject"] not in serving:
        person = {"person": third["subject"], "schoolSourcedId": third["org"]}
        officer.send("POST", f"{API}/panel/members", json=person | subjects | {"validFrom": today})


def _appraise(reviewer: Caller, material: str) -> None:
    for item in reviewer.get(f"{API}/appraisal-queue")["items"]:
        asked = reviewer.get(f"{API}/appraisals/{item['appraisalId']}")
        if asked["material"]["id"] == material:
            said = {"scores": SCORES, "recommendation": "share", "comment": "Nội dung chính xác, dễ dùng."}
            reviewer.send("POST", f"{API}/appraisals/{item['appraisalId']}/submit", json=said)


def _renew(story: Story, gateway: Gateway, material: str) -> None:
    teacher, place = gateway.person("second_teacher"), f"{API}/materials/{material}"
    with story.step("Giáo viên làm phiên bản 2; trường dùng bản mới, kho dùng chung giữ bản 1 (side by side)"):
        teacher.send("POST", f"{place}/versions")
        teacher.send("POST", f"{place}/submit")
        gateway.person("second_lead").send("POST", f"{place}/pass")
        used = gateway.person("second_head").send("POST", f"{place}/approve").json()
        shared = teacher.get(f"{API}/shelf/{material}")
        story.say(f"trường: phiên bản {used['inUse']} · thành phố: phiên bản {shared['versionNumber']}")
        _require((used["inUse"], shared["versionNumber"]) == (2, 1), "school and city have versions of their own")


def _find(story: Story, gateway: Gateway, material: str) -> None:
    with story.step("Giáo viên trường khác tìm không dấu và tải về (found by another school)"):
        other = gateway.person("teacher")
        search = f"{API}/search?q=phan+so+quy+dong&place=shared&sort=newest"
        found = other.wait_for(search, until=lambda page: material in _shared(page))
        file = other.send("GET", f"{API}/shelf/{material}/files/1")
        story.say(f"tìm thấy {found['total']} · tải về {len(file.content)} byte")


def _shared(page: dict[str, Any]) -> set[str]:
    return {item["shared"]["materialId"] for item in page["items"]}


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise RefusedError(f"expected that {otherwise}")
