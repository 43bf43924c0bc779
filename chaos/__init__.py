"""The fault campaign: a publisher with a ledger, faults drawn at random, and a judge of every row."""
