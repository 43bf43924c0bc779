"""`linepulse doctor`: every part, what is wrong with it, and how to correct it."""

import asyncio
import logging

import typer

from linepulse.checkup import check_all
from runtime.narrator import quiet_libraries
from runtime.redact import redacted
from runtime.settings import Settings
from runtime.text import plain_lines


def doctor() -> None:
    """Look at the servers, the topics, the schema, the rules and the roles; exit 1 if anything is wrong.

    Example: linepulse doctor
    """
    settings = Settings.read()
    quiet_libraries(logging.CRITICAL)
    findings = asyncio.run(check_all(settings))
    for part, wrong in findings:
        line = f"✅ {part}" if wrong is None else f"❌ {part}\n   {wrong}"
        print(plain_lines(redacted(line)))
    if any(finding.wrong for finding in findings):
        raise typer.Exit(1)
