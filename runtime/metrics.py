"""Every metric, with its meaning; `/metrics` serves them in Prometheus' format."""

import math

from prometheus_client import Counter, Gauge, Histogram


def _unknown_at_first(name: str, meaning: str) -> Gauge:
    """A gauge that is NaN as long as its value is not known."""
    gauge = Gauge(name, meaning)
    gauge.set(math.nan)
    return gauge


MQTT_RECEIVED = Counter(
    "linepulse_mqtt_received", "MQTT messages that reached the bridge and that the log did not hold", ["kind"]
)
MQTT_ACKED = Counter("linepulse_mqtt_acked", "MQTT messages acknowledged after Kafka had them")
MQTT_RETAINED = Counter("linepulse_mqtt_retained", "MQTT messages that the broker had retained")
MQTT_RECOGNISED = Counter("linepulse_mqtt_recognised", "MQTT messages sent again that the log held already")
MQTT_DUP = Counter("linepulse_mqtt_dup", "MQTT messages that the broker marked as sent again")
MQTT_QOS0 = Counter("linepulse_mqtt_qos0", "MQTT messages at QoS 0: served, not guaranteed")
MQTT_CONNECTED = Gauge("linepulse_mqtt_connected", "1 while the bridge is connected to the MQTT broker")
MQTT_IN_FLIGHT = Gauge("linepulse_mqtt_in_flight", "MQTT messages received and not yet acknowledged")
MQTT_CONNECTS = Counter("linepulse_mqtt_connects", "Connections that the bridge made to the MQTT broker")
MQTT_STANDBY = Gauge("linepulse_mqtt_standby", "1 while the bridge stands by because another has its session")
MQTT_SUPERSEDED = Counter(
    "linepulse_mqtt_superseded",
    "Times that the bridge found a run above its own in the log, and ended its run",
)
LOG_ANEW = Counter("linepulse_log_anew", "Times that the bridge found a log that is not its old one")
CLOCK_JUMPS = Counter(
    "linepulse_clock_jumps", "Leaps of the computer's clock over 60 s that its monotonic clock denied"
)
LOG_AHEAD = _unknown_at_first(
    "linepulse_log_ahead_seconds",
    "How far the log's time is ahead of the bridge's clock; negative: behind it, by a leap not yet confirmed",
)

# What the MQTT broker reports about itself ($SYS), for all its clients together; NaN if it does not.
BROKER_WAITING = _unknown_at_first(
    "linepulse_mqtt_broker_waiting",
    "MQTT messages that the broker keeps for sessions, retained ones left out",
)
BROKER_PAYLOAD_BYTES = _unknown_at_first(
    "linepulse_mqtt_broker_payload_bytes", "Payload bytes that the broker keeps, retained ones included"
)
BROKER_MEMORY_BYTES = _unknown_at_first("linepulse_mqtt_broker_memory_bytes", "Memory that the broker uses")
BROKER_DROPPED = _unknown_at_first(
    "linepulse_mqtt_broker_dropped", "MQTT messages that the broker has thrown away since it started"
)
BROKER_FILLING = _unknown_at_first(
    "linepulse_mqtt_broker_filling",
    "MQTT messages a second added to the broker's buffer; while the bridge reads: if it did not",
)
BROKER_REPORTED_AT = _unknown_at_first(
    "linepulse_mqtt_broker_told_timestamp_seconds", "When the broker last said something of itself"
)
BUDGET_MESSAGES = _unknown_at_first(
    "linepulse_mqtt_budget_messages", "Messages that the broker may keep (LINEPULSE_MQTT_BUDGET_MESSAGES)"
)
BUDGET_BYTES = _unknown_at_first(
    "linepulse_mqtt_budget_bytes",
    "Memory that the broker may use (LINEPULSE_MQTT_BUDGET_BYTES; or what this machine has, if it runs here)",
)
BUDGET_SECONDS = _unknown_at_first(
    "linepulse_mqtt_budget_seconds",
    "Time for which the broker can keep what comes, at the present rate, if the bridge reads nothing",
)

APPLIED = Counter("linepulse_records_applied", "Records applied, each once", ["topic"])
SKIPPED = Counter("linepulse_records_skipped", "Records already applied that Kafka brought again", ["topic"])
SEEKS = Counter("linepulse_seeks", "Returns to the cursor after Faust left records out", ["topic"])
LOST = Counter("linepulse_records_lost", "Records that retention deleted before they were applied", ["topic"])
VOID = Counter("linepulse_records_void", "Records of the raw log that a replaced bridge wrote late")
LOGS_LOST = Counter(
    "linepulse_logs_lost", "Partitions found to be of another log than was applied", ["topic"]
)
CURSOR = Gauge("linepulse_cursor", "Next offset to apply", ["topic", "partition"])
LAG = Gauge("linepulse_lag", "Records in the log that are not applied yet", ["topic", "partition"])
DEAD_LETTERS = Counter("linepulse_dead_letters", "Records that could not be applied", ["reason"])
INTERNAL_ERRORS = Counter(
    "linepulse_internal_errors", "Records and rows on which linepulse itself failed: a defect to report"
)

BATCH_SECONDS = Histogram("linepulse_batch_seconds", "Time to apply one batch", ["topic"])
ROWS_WRITTEN = Counter("linepulse_rows_written", "Rows that the sinks wrote", ["table"])
SUPERSEDED = Counter("linepulse_events_superseded", "Events of a replaced generation, ignored", ["topic"])
POSTGRES_WAITS = Counter("linepulse_postgres_waits", "Times that a sink waited for PostgreSQL")

PAGE_VISITORS = Gauge("linepulse_page_visitors", "Pages that are open")
PAGE_SECONDS = Histogram("linepulse_page_reading_seconds", "Time to read PostgreSQL once, for all pages")
PAGE_FAILURES = Counter("linepulse_page_failures", "Readings that PostgreSQL did not answer")
