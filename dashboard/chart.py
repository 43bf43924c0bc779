"""The KPI curve, as options of Apache ECharts."""

from datetime import datetime
from typing import Any

from dashboard.models import CurvePoint
from dashboard.ratios import ratios
from dashboard.words import Words

# Each series can be recognised without colour: it has a line style of its own, TRS the thickest.
SERIES = (
    ("trs", "#12355b", "solid", 3),
    ("availability", "#2a7f9e", "dashed", 1.6),
    ("performance", "#b26a00", "dotted", 2),
    ("quality", "#4c7a34", [8, 3, 2, 3], 1.6),
)
INK = "#44525f"
GRID = "#e3e8ec"


def curve(points: tuple[CurvePoint, ...], words: Words, now: datetime) -> dict[str, Any]:
    """TRS, availability, performance and quality over time, in percent."""
    figures = [ratios(point.sums) for point in points]
    values = {name: [_shown(getattr(f, name)) for f in figures] for name, *_ in SERIES}
    known = [v for column in values.values() for v in column if v is not None]
    return {
        "animation": False,
        "aria": {"enabled": True, "label": {"description": words.t("curve")}},
        "textStyle": {"fontFamily": "Roboto, sans-serif", "color": INK},
        "grid": {"left": 44, "right": 16, "top": 48, "bottom": 32},
        "legend": {
            "type": "scroll",
            "top": 4,
            "left": 0,
            "itemWidth": 26,
            "itemGap": 14,
            "textStyle": {"color": INK, "fontSize": 13},
        },
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": [words.clock(point.start, now) for point in points],
            "axisLine": {"lineStyle": {"color": GRID}},
            "axisTick": {"show": False},
            "axisLabel": {"color": INK, "hideOverlap": True, "margin": 12},
        },
        "yAxis": {
            "type": "value",
            "min": max(0, int(min(known) // 20 * 20)) if known else 0,
            "max": max(100, int(-(-max(known) // 20) * 20)) if known else 100,
            "axisLabel": {"color": INK, "formatter": "{value} %"},
            "splitLine": {"lineStyle": {"color": GRID}},
        },
        "series": [
            {
                "name": words.t(name),
                "type": "line",
                "data": values[name],
                "symbol": "none" if len(points) > 1 else "circle",
                "connectNulls": False,
                "color": colour,
                "lineStyle": {"type": style, "width": width},
                "z": 3 if name == "trs" else 2,
            }
            for name, colour, style, width in SERIES
        ],
    }


def _shown(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
