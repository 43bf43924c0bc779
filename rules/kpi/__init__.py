"""KPI: a line's windows, what is charged to them, and the figures that follow from their sums."""
