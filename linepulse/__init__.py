"""linepulse: the command line, the embedded stack, the simulator, the doctor."""
