"""The stack that needs nothing installed: Kafka API, MQTT broker and PostgreSQL, each from a Python wheel.

Each server is a child process that keeps to its own folder, logs there, and ends with its parent.
"""
