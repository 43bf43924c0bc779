"""Stops and silence: when they begin, end and are judged, what is planned, and what operators say of them."""
