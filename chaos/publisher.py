"""The publisher: a process of its own, that keeps the ledger.

`python -m chaos.publisher --url mqtt://... --ledger FILE --seed S --messages N --lines L --rate R
[--clock-scenarios]` publishes N messages at QoS 1 and ends when all of them are acknowledged, however
often the broker goes away meanwhile. Rate 0: as fast as acknowledgements allow. SIGTERM: publishes no more,
waits for outstanding acknowledgements. At its end it prints JSON: `sent`, `acked`, `again`, `seconds`.
"""
