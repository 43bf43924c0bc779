"""`python -m linepulse` is the command `linepulse`."""

from linepulse.cli import main

main()
