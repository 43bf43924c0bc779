"""The stream stage: the Faust shell around the rules."""
