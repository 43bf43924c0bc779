"""Servers that need no installation: Kafka API, MQTT broker and PostgreSQL, each from a Python wheel.

Each is a child process that writes to its own folder only, logs there, and ends with its parent.
"""
