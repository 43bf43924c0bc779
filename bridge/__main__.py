"""`python -m bridge`: the bridge alone, as `linepulse bridge` runs it."""

import sys

from bridge.role import main
from runtime.settings import Settings, SettingsError

if __name__ == "__main__":
    try:
        main(Settings.read())
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)  # as `linepulse bridge`
