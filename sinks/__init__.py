"""Kafka -> PostgreSQL: batches of derived events become rows, together with the cursor that says how far."""
