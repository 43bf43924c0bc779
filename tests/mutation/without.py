"""A role without one of its protections, or with all: `python -m tests.mutation.without PROTECTION ROLE`."""

import sys
from importlib import import_module

from linepulse.commands import roles
from tests.mutation.test_sinks import unconditional
from tests.mutation.test_states import Unfenced

OVERRIDES = {
    "nothing": (),
    "run-fence": (("streams.store", "Lines", Unfenced),),
    "cursor": (("sinks.cursors", "statement", unconditional),),
}


def main() -> None:
    protection, role = sys.argv[1:]
    for module, name, override in OVERRIDES[protection]:
        setattr(import_module(module), name, override)
    roles.run_role(role)


if __name__ == "__main__":
    main()
