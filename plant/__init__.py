"""The plant as `plant.toml` describes it: rules by line and date, calendars, time zones, mapping."""
