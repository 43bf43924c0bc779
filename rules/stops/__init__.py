"""Stops and silence: when they begin and end, their categories, planned stops, and operator messages."""
