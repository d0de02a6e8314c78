"""Deadlines are objects (PRODUCT rule 1): the moment, whether it is still on time, who set it, and what loosens it.

Zone Asia/Ho_Chi_Minh. There is no shift for weekends or holidays: no rule for one was found in the letters.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.reporting.domain.orgs import Unit
from shared.clock import VIETNAM
from shared.errors import Text, forbidden, invalid

QUARTERLY_DAY = 24
QUARTERLY_TIME = dt.time(16, 0)


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The line between on time and late. `instant` is aware.

    Inclusive ("chậm nhất 16:00"): the instant itself is on time, one microsecond later is late. Exclusive ("trước ngày
    25/5"): the last valid moment lies before the instant.
    """

    instant: dt.datetime
    inclusive: bool

    def __post_init__(self) -> None:
        if self.instant.tzinfo is None:
            raise ValueError("a deadline needs a zone")

    def on_time(self, received: dt.datetime) -> bool:
        return received <= self.instant if self.inclusive else received < self.instant

    @property
    def strictness(self) -> tuple[dt.datetime, bool]:
        """Orders cutoffs from the strictest on; at the same instant the exclusive one is stricter."""
        return (self.instant, self.inclusive)

    def later_than(self, other: "Cutoff") -> bool:
        return self.strictness > other.strictness


def no_later_than(at: dt.datetime) -> Cutoff:
    """In the letters "chậm nhất 16:00 ngày …"."""
    return Cutoff(at, inclusive=True)


def before(at: dt.datetime) -> Cutoff:
    """In the letters "trước 16:00 ngày …"."""
    return Cutoff(at, inclusive=False)


def no_later_than_day(day: dt.date) -> Cutoff:
    """In the letters "chậm nhất ngày 25/5": the whole day counts, up to the following midnight in Vietnam."""
    return Cutoff(_midnight(day + dt.timedelta(days=1)), inclusive=False)


def before_day(day: dt.date) -> Cutoff:
    """In the letters "trước ngày 25/5" (Long An, 2023): the last valid moment is before 25/5 00:00 in Vietnam."""
    return Cutoff(_midnight(day), inclusive=False)


def quarterly(year: int, quarter: int) -> Cutoff:
    """No later than 16:00 on the 24th of the quarter's last month (HCMC 1950/SGDĐT-GDTrH, 2.1)."""
    day = dt.date(year, 3 * quarter, QUARTERLY_DAY)
    return Cutoff(dt.datetime.combine(day, QUARTERLY_TIME, VIETNAM), inclusive=True)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), VIETNAM)


def sentence(cutoff: Cutoff) -> Text:
    """The cutoff as the letters would write it."""
    local = cutoff.instant.astimezone(VIETNAM)
    day, clock = f"{local.day}/{local.month}/{local.year}", local.strftime("%H:%M")
    iso = local.strftime("%Y-%m-%d")
    if cutoff.inclusive:
        return Text(f"Chậm nhất {clock} ngày {day} (giờ Việt Nam)", f"No later than {clock} on {iso} (Vietnam time)")
    if local.time() == dt.time():
        return Text(f"Trước ngày {day} (giờ Việt Nam)", f"Before {iso} (Vietnam time)")
    return Text(f"Trước {clock} ngày {day} (giờ Việt Nam)", f"Before {clock} on {iso} (Vietnam time)")


@dataclass(frozen=True, slots=True)
class Layer:
    """A cutoff for `unit` and everything below it, set by the authority `set_by` (the unit itself or one above)."""

    unit: Unit
    set_by: Unit
    cutoff: Cutoff


@dataclass(frozen=True, slots=True)
class Extension:
    """More time for `unit` and everything below it, granted by a unit above it."""

    unit: Unit
    granted_by: Unit
    until: Cutoff


@dataclass(frozen=True, slots=True)
class Seen:
    """The deadline as one school sees it: the cutoff that counts, the layer it comes from, what loosened that layer."""

    cutoff: Cutoff
    layer: Layer
    extension: Extension | None


def as_seen(layers: Iterable[Layer], extensions: Sequence[Extension]) -> Seen:
    """The strictest layer counts, each layer after its own extensions. At least one layer must be given.

    `layers` and `extensions` are those of the school's own chain.
    """
    return min((_loosened(layer, extensions) for layer in layers), key=lambda seen: seen.cutoff.strictness)


def _loosened(layer: Layer, extensions: Sequence[Extension]) -> Seen:
    fitting = [extension for extension in extensions if _loosens(extension, layer)]
    best = max(fitting, key=lambda extension: extension.until.strictness, default=None)
    if best is None or not best.until.later_than(layer.cutoff):
        return Seen(layer.cutoff, layer, None)
    return Seen(best.until, layer, best)


def _loosens(extension: Extension, layer: Layer) -> bool:
    """Only an authority at or above the one that set a layer can loosen it, and only what came from above the unit.

    So a commune's extension never moves the department's deadline, and the department's extension for a commune
    leaves alone what the commune asked of its own schools.
    """
    return extension.granted_by.at_or_above(layer.set_by) and layer.set_by.above(extension.unit)


def check_layer(new: Layer, existing: Iterable[Layer]) -> None:
    """Raise `deadline.not_earlier` when the layer is later than one set above it: that is what extensions are for."""
    for layer in existing:
        if layer.unit.above(new.unit) and new.cutoff.later_than(layer.cutoff):
            raise invalid(
                "deadline.not_earlier",
                vi=f"Cấp dưới chỉ được đặt hạn sớm hơn. Hạn của cấp trên: {sentence(layer.cutoff).vi}.",
                en=f"A lower level may only set an earlier deadline. The one above: {sentence(layer.cutoff).en}.",
                higher=layer.unit.sourced_id,
            )


def check_extension(new: Extension, layers: Sequence[Layer]) -> None:
    """Raise unless the extension is granted from above its unit, gives more time, and stays within its authority.

    `layers` are those of the unit's chain. Codes: `extension.not_above` (forbidden), `extension.not_later` and
    `extension.beyond_higher_deadline` (invalid).
    """
    if not new.granted_by.above(new.unit):
        raise forbidden(
            "extension.not_above",
            vi="Chỉ cấp trên của đơn vị mới được gia hạn cho đơn vị đó.",
            en="Only a unit above may extend the deadline of a unit.",
        )
    loosened = [layer for layer in layers if _loosens(new, layer)]
    if not any(new.until.later_than(layer.cutoff) for layer in loosened):
        raise invalid(
            "extension.not_later",
            vi="Gia hạn phải muộn hơn hạn hiện tại mà đơn vị của bạn được quyền nới.",
            en="An extension must be later than the deadline your unit may loosen.",
        )
    beyond = [layer for layer in layers if layer.set_by.above(new.granted_by) and new.until.later_than(layer.cutoff)]
    if beyond:
        raise invalid(
            "extension.beyond_higher_deadline",
            vi=f"Không được gia hạn quá hạn của cấp trên: {sentence(beyond[0].cutoff).vi}.",
            en=f"An extension may not pass the deadline of the level above: {sentence(beyond[0].cutoff).en}.",
            higher=beyond[0].set_by.sourced_id,
        )
