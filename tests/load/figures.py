"""Figures of a benchmark: measured values against a limit measured in the same run, as a table and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is value / limit; `min` and `max` are the extremes of the rounds' ratios. `target` None: shown only."""

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    min: float
    max: float
    target: float | None
    better: Literal["lower", "higher"] = "lower"


def against(name: str, unit: str, values: Sequence[float], limits: Sequence[float], target: float) -> Figure:
    """The medians of rounds that alternated, and the ratio of each round's pair."""
    ratios = [value / limit for value, limit in zip(values, limits, strict=True)]
    middle = statistics.median(ratios)
    value, limit = statistics.median(values), statistics.median(limits)
    return Figure(name, round(value, 4), unit, round(limit, 4), round(middle, 3), *_extremes(ratios), target)


def alone(name: str, unit: str, values: Sequence[float], target: float | None = None) -> Figure:
    """A figure with a fixed target, or only shown."""
    return Figure(name, round(statistics.median(values), 4), unit, None, None, *_extremes(values), target)


def _extremes(values: Sequence[float]) -> tuple[float, float]:
    return round(min(values), 3), round(max(values), 3)


def show(figures: Sequence[Figure]) -> str:
    lines = [f"{'what':<66}{'value':>10} {'unit':<5}{'limit':>10}{'ratio':>8}{'min':>9}{'max':>9}{'target':>8}"]
    for each in figures:
        limit, ratio, target = ("" if cell is None else f"{cell:.3g}" for cell in (each.limit, each.ratio, each.target))
        lines.append(
            f"{each.name:<66}{each.value:>10.4g} {each.unit:<5}{limit:>10}{ratio:>8}"
            f"{each.min:>9.3g}{each.max:>9.3g}{target:>8}"
        )
    return "\n".join(lines)


def write(path: Path, figures: Sequence[Figure]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n", "utf-8")
