"""How far back the page looks for lines."""

from datetime import timedelta

from dashboard.models import PageRules
from plant.rules import Rules, read_plant


def test_the_reach_is_the_longest_past_that_any_line_is_believed():
    """Seven days by default; a line's own rules, now or from a date on, may allow more."""
    assert PageRules().reach == timedelta(days=7)
    plant = "[line]\naccept_past_s = 3600\n[lines.ligne2]\naccept_past_s = 1209600\n"
    assert PageRules(rules=Rules(1, read_plant(plant))).reach == timedelta(days=14)
