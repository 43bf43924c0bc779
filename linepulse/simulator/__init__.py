"""A believable bottling plant: a pure model, seeded, and the command that publishes it over MQTT."""
