"""The log read again: `linepulse rebuild`, from `production.raw` to tables that can go live."""
