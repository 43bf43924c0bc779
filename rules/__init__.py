"""The rules: a pure fold of a line's records into row updates. No Faust, no Kafka, no clock."""
