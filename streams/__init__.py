"""The stream stage: one pure fold over the raw log, and the Faust shell around it."""
