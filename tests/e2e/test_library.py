"""The library's story through the whole system: two schools, two reviewers, a new version beside the shared one."""

from deploy.demo import library
from deploy.demo.client import Gateway


def test_a_material_goes_from_draft_to_the_citys_shelf_and_on(whole_stack, capsys):
    material = library.play(whole_stack.folder / "demo.json")
    said = capsys.readouterr().out
    assert "trường: phiên bản 2 · thành phố: phiên bản 1" in said
    with Gateway(whole_stack.demo()) as gateway:
        history = gateway.client("portal").get(f"/materials/v1/shelf/{material}")["history"]
    assert [step["action"] for step in history] == [
        *("submit", "pass", "approve", "publish", "propose", "appraise", "appraise", "share")
    ]
    library.play(whole_stack.folder / "demo.json")
