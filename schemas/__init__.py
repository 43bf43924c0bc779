"""What crosses a boundary: payloads, raw records, events, topics, line state. No formula, no file."""
