"""Measurements, each with its reference in the same run."""
