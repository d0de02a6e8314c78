import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.deadlines import (
    Cutoff,
    Extension,
    Layer,
    as_seen,
    before,
    before_day,
    check_extension,
    check_layer,
    no_later_than,
    no_later_than_day,
    quarterly,
    sentence,
)
from services.reporting.domain.orgs import OrgKind, Unit
from shared.clock import VIETNAM
from shared.errors import AppError, Kind

MICROSECOND = dt.timedelta(microseconds=1)
DEPARTMENT = Unit("so", OrgKind.DEPARTMENT)
COMMUNE = Unit("xa", OrgKind.COMMUNE)
SCHOOL = Unit("truong", OrgKind.SCHOOL)
CHAIN = (DEPARTMENT, COMMUNE, SCHOOL)


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0):
    return dt.datetime(year, month, day, hour, minute, second, micro, tzinfo=VIETNAM)


def test_no_later_than_sixteen_hundred_takes_sixteen_hundred_and_nothing_after():
    cutoff = no_later_than(local(2026, 1, 16, 16, 0))
    assert cutoff.on_time(local(2026, 1, 16, 16, 0))
    assert not cutoff.on_time(local(2026, 1, 16, 16, 0) + MICROSECOND)


def test_before_an_instant_ends_one_microsecond_earlier():
    cutoff = before(local(2026, 1, 16, 16, 0))
    assert cutoff.on_time(local(2026, 1, 16, 16, 0) - MICROSECOND)
    assert not cutoff.on_time(local(2026, 1, 16, 16, 0))


def test_before_the_25th_of_may_ends_before_its_first_instant_in_vietnam():
    cutoff = before_day(dt.date(2026, 5, 25))
    assert cutoff.on_time(dt.datetime(2026, 5, 24, 16, 59, 59, 999_999, tzinfo=dt.UTC))
    assert not cutoff.on_time(dt.datetime(2026, 5, 24, 17, 0, tzinfo=dt.UTC))


def test_no_later_than_a_day_takes_the_whole_day():
    cutoff = no_later_than_day(dt.date(2026, 5, 25))
    assert cutoff.on_time(local(2026, 5, 25, 23, 59, 59, 999_999))
    assert not cutoff.on_time(local(2026, 5, 26))


@pytest.mark.parametrize(("quarter", "month"), [(1, 3), (2, 6), (3, 9), (4, 12)])
def test_the_quarterly_rule_is_sixteen_hundred_on_the_24th_of_the_last_month(quarter, month):
    assert quarterly(2026, quarter) == Cutoff(dt.datetime(2026, month, 24, 9, 0, tzinfo=dt.UTC), inclusive=True)


def test_a_deadline_on_a_sunday_is_not_moved():
    assert dt.date(2028, 12, 24).weekday() == 6
    assert quarterly(2028, 4).instant == local(2028, 12, 24, 16, 0)


def test_a_deadline_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        no_later_than(dt.datetime(2026, 1, 16, 16, 0))  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize(
    ("cutoff", "vi", "en"),
    [
        (
            no_later_than(local(2026, 1, 16, 16, 0)),
            "Chậm nhất 16:00 ngày 16/1/2026 (giờ Việt Nam)",
            "No later than 16:00 on 2026-01-16 (Vietnam time)",
        ),
        (before_day(dt.date(2026, 5, 25)), "Trước ngày 25/5/2026 (giờ Việt Nam)", "Before 2026-05-25 (Vietnam time)"),
        (
            before(local(2026, 5, 25, 8, 30)),
            "Trước 08:30 ngày 25/5/2026 (giờ Việt Nam)",
            "Before 08:30 on 2026-05-25 (Vietnam time)",
        ),
    ],
)
def test_a_deadline_reads_like_the_letters(cutoff, vi, en):
    assert (sentence(cutoff).vi, sentence(cutoff).en) == (vi, en)


def test_the_school_sees_the_strictest_layer():
    department = Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0)))
    commune = Layer(COMMUNE, COMMUNE, before_day(dt.date(2026, 1, 12)))
    assert as_seen([department, commune], []).layer is commune


def test_at_the_same_instant_the_exclusive_deadline_is_stricter():
    at = local(2026, 1, 16, 16, 0)
    department, commune = Layer(DEPARTMENT, DEPARTMENT, no_later_than(at)), Layer(COMMUNE, COMMUNE, before(at))
    assert as_seen([department, commune], []).layer is commune


def test_a_lower_level_may_set_an_earlier_deadline():
    department = Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0)))
    earlier = Layer(COMMUNE, COMMUNE, no_later_than(local(2026, 1, 14, 16, 0)))
    check_layer(earlier, [department])
    assert as_seen([department, earlier], []).cutoff == earlier.cutoff


def test_a_lower_level_may_not_set_a_later_deadline():
    department = Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0)))
    later = Layer(COMMUNE, COMMUNE, no_later_than(local(2026, 1, 16, 16, 0) + MICROSECOND))
    with pytest.raises(AppError) as refused:
        check_layer(later, [department])
    assert refused.value.code == "deadline.not_earlier"


def _extension(unit: Unit, by: Unit, *until: int) -> Extension:
    return Extension(unit, by, no_later_than(local(*until)))


def test_the_department_extends_for_a_school_beyond_every_layer_above_it():
    layers = [
        Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0))),
        Layer(COMMUNE, COMMUNE, no_later_than(local(2026, 1, 14, 16, 0))),
    ]
    extension = _extension(SCHOOL, DEPARTMENT, 2026, 1, 20, 16, 0)
    check_extension(extension, layers)
    assert as_seen(layers, [extension]).cutoff == extension.until


def test_a_communes_extension_loosens_its_own_deadline_and_not_the_departments():
    layers = [
        Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0))),
        Layer(COMMUNE, COMMUNE, no_later_than(local(2026, 1, 14, 16, 0))),
    ]
    within = _extension(SCHOOL, COMMUNE, 2026, 1, 15, 16, 0)
    check_extension(within, layers)
    assert as_seen(layers, [within]).cutoff == within.until
    beyond = _extension(SCHOOL, COMMUNE, 2026, 1, 20, 16, 0)
    with pytest.raises(AppError) as refused:
        check_extension(beyond, layers)
    assert refused.value.code == "extension.beyond_higher_deadline"
    assert as_seen(layers, [beyond]).cutoff == layers[0].cutoff


def test_an_extension_for_a_commune_leaves_what_the_commune_asked_of_its_schools():
    layers = [
        Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0))),
        Layer(COMMUNE, COMMUNE, no_later_than(local(2026, 1, 14, 16, 0))),
    ]
    assert as_seen(layers, [_extension(COMMUNE, DEPARTMENT, 2026, 1, 20, 16, 0)]).cutoff == layers[1].cutoff


@pytest.mark.parametrize("granter", [SCHOOL, Unit("xa-khac", OrgKind.SCHOOL)])
def test_nobody_but_a_unit_above_extends(granter):
    layers = [Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0)))]
    with pytest.raises(AppError) as refused:
        check_extension(_extension(SCHOOL, granter, 2026, 1, 20, 16, 0), layers)
    assert (refused.value.code, refused.value.kind) == ("extension.not_above", Kind.FORBIDDEN)


def test_an_extension_that_gives_no_time_is_refused():
    layers = [Layer(DEPARTMENT, DEPARTMENT, no_later_than(local(2026, 1, 16, 16, 0)))]
    with pytest.raises(AppError) as refused:
        check_extension(_extension(SCHOOL, DEPARTMENT, 2026, 1, 16, 16, 0), layers)
    assert refused.value.code == "extension.not_later"


_instants = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
_cutoffs = st.builds(Cutoff, _instants, st.booleans())


@st.composite
def _layers(draw: st.DrawFn) -> Layer:
    unit = draw(st.sampled_from(CHAIN))
    setter = draw(st.sampled_from([other for other in CHAIN if other.at_or_above(unit)]))
    return Layer(unit, setter, draw(_cutoffs))


@st.composite
def _extensions(draw: st.DrawFn) -> Extension:
    unit = draw(st.sampled_from(CHAIN[1:]))
    granter = draw(st.sampled_from([other for other in CHAIN if other.above(unit)]))
    return Extension(unit, granter, draw(_cutoffs))


@given(_cutoffs, _instants)
def test_on_time_and_late_are_decided_by_the_instant_alone(cutoff, received):
    assert cutoff.on_time(received) == (received < cutoff.instant or (received == cutoff.instant and cutoff.inclusive))


@given(_cutoffs, _cutoffs, _instants)
def test_whoever_is_on_time_for_the_stricter_is_on_time_for_the_other(one, other, received):
    strict, loose = sorted((one, other), key=lambda cutoff: cutoff.strictness)
    assert loose.on_time(received) or not strict.on_time(received)


@given(st.lists(_layers(), min_size=1, max_size=6))
def test_without_extensions_no_layer_is_stricter_than_what_the_school_sees(layers):
    assert as_seen(layers, []).cutoff.strictness == min(layer.cutoff.strictness for layer in layers)


@given(st.lists(_layers(), min_size=1, max_size=6), st.lists(_extensions(), max_size=4), st.randoms())
def test_the_order_of_layers_and_extensions_does_not_matter(layers, extensions, random):
    seen = as_seen(layers, extensions).cutoff
    random.shuffle(layers)
    random.shuffle(extensions)
    assert as_seen(layers, extensions).cutoff == seen


@given(st.lists(_layers(), min_size=1, max_size=6), st.lists(_extensions(), max_size=4), _extensions())
def test_an_extension_never_takes_time_away(layers, extensions, another):
    before_it = as_seen(layers, extensions).cutoff
    assert not before_it.later_than(as_seen(layers, [*extensions, another]).cutoff)


@given(st.lists(_layers(), min_size=1, max_size=6), st.lists(_extensions(), max_size=4))
def test_no_commune_moves_what_the_department_set(layers, extensions):
    of_the_department = [layer for layer in layers if layer.set_by == DEPARTMENT]
    by_communes = [extension for extension in extensions if extension.granted_by == COMMUNE]
    if of_the_department:
        bound = min(layer.cutoff.strictness for layer in of_the_department)
        assert as_seen(layers, by_communes).cutoff.strictness <= bound
