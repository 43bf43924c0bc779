"""What docs/kpi.md says of the figures is so."""

import re

from rules.kpi.figures import Figures
from schemas.events import KpiEvent
from tests.commands import ROOT

PAGE = (ROOT / "docs" / "kpi.md").read_text("utf-8")


def test_the_worked_example_comes_out():
    """Every line of it is run."""
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    assert examples
    for example in examples:
        assert "assert" in example
        exec(example, {})


def test_every_figure_and_every_reason_is_defined():
    """None is missing from the page."""
    reasons = re.findall(r'reason="(\w+)"', (ROOT / "rules" / "kpi" / "figures.py").read_text("utf-8"))
    figures = [name for name in Figures._fields if name != "reason"] + ["tq", "oee", "mtbf", "mttr"]
    assert {name for name in [*figures, *reasons] if f"`{name}`" not in PAGE} == set()


def test_every_sum_of_a_window_is_named():
    """As its column is."""
    sums = [
        name for name in KpiEvent.__struct_encode_fields__ if name.endswith(("Seconds", "Output", "Pieces"))
    ]
    assert len(sums) == 11
    assert {name for name in sums if f"`{name}`" not in PAGE} == set()
