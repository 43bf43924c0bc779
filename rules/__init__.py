"""The rules: a pure fold of a line's records into the rows that change. No Faust, no Kafka, no clock."""
