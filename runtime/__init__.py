"""What every role needs: settings, narrated log, metrics, health, the Faust batch consumer and its cursor."""
