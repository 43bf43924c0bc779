"""What crosses a boundary: MQTT payloads, raw records, derived events, line state, the plant's rules."""
