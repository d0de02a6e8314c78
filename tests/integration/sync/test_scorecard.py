"""A vendor reads that it delivered, and the department reads it of every vendor."""

from tests.integration.sync.packages import changed, make_package, school_files


async def test_a_scorecard_counts_rows_causes_and_lag_and_names_schools_that_got_nothing(sync):
    await sync.put_schools("A", "B", "C")
    vendor = sync.as_vendor("A", "B", sub="lms")
    files = school_files("A")
    files["users"] = changed(files["users"], "A-hs0", givenName="")
    await sync.imported(make_package(files), vendor, mode="auto")
    card = await sync.read("/sync/v1/vendors/lms/scorecard", vendor, limit="1")
    assert (card["clientId"], card["imports"], card["held"]) == ("lms", 1, 0)
    assert card["rows"] == {"read": 38, "accepted": 35, "refused": 3}
    # The role and the enrollment fail because of the user's row.
    assert [(each["code"], each["rows"], each["who"]) for each in card["refusedByCause"]] == [
        ("value.required", 3, "vendor")
    ]
    assert card["lag"]["longestSeconds"] >= card["lag"]["medianSeconds"] > 0
    (first,) = card["schools"]
    assert (first["sourcedId"], first["imports"]) == ("A", 1)
    assert first["secondsSinceCommit"] >= 0
    rest = await sync.read("/sync/v1/vendors/lms/scorecard", vendor, limit="1", cursor=card["next"])
    assert [(each["sourcedId"], each["lastPush"]) for each in rest["schools"]] == [("B", None)]
    assert rest["next"] is None
    seen = await sync.read("/sync/v1/vendors/lms/scorecard", sync.as_department)
    assert [each["sourcedId"] for each in seen["schools"]] == ["A"]


async def test_for_another_vendor_and_for_a_school_a_scorecard_does_not_exist(sync):
    await sync.put_schools("A")
    for headers in (sync.as_vendor("A", sub="other"), sync.as_person("A", "head")):
        answer = await sync.client.get("/sync/v1/vendors/lms/scorecard", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "vendor.unknown")
