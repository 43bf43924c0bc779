"""The commands, a module each: they read the settings, call what does the work, and report what was done."""
