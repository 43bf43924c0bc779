"""Kafka -> PostgreSQL: batches of events become rows, in one transaction with the cursor."""
