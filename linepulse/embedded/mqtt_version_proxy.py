"""The process of the embedded MQTT broker: rumqttd, and the proxy at its one public port.

`python mqtt_version_proxy.py CONFIG PORT PORT_OF_3_1_1 PORT_OF_5`
"""

import asyncio
import contextlib
import logging
import signal
import sys
import threading

import uvloop
from iotcore import IotCoreBroker

CHUNK = 64 * 1024
FIRST_PACKET_S = 10.0


def protocol_level(start: bytes) -> int | None:
    """The level in the first bytes of a CONNECT (4: 3.1.1, 5: 5), or None if more bytes are needed.

    Raises:
        ValueError: it is no CONNECT.
    """
    if start[:1] != b"\x10" and start:
        raise ValueError("the first packet is no CONNECT")
    after_length = next((i + 1 for i in range(1, min(len(start), 5)) if start[i] < 0x80), None)
    if after_length is None:
        if len(start) >= 5:
            raise ValueError("the packet's length has no end")
        return None
    rest = start[after_length:]
    if len(rest) < 2:
        return None
    at = 2 + int.from_bytes(rest[:2], "big")
    if at > 8:
        raise ValueError("no MQTT client")
    return rest[at] if len(rest) > at else None


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy one direction until its end."""
    try:
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


async def serve_client(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ports: dict[int, int]
) -> None:
    """Find out which version a client speaks, and connect it to the listener of that version."""
    with contextlib.closing(writer), contextlib.suppress(ConnectionError, ValueError, TimeoutError):
        start, level = b"", None
        async with asyncio.timeout(FIRST_PACKET_S):
            while level is None and (more := await reader.read(CHUNK)):
                start += more
                level = protocol_level(start)
        if level is None:
            return
        inner_reader, inner_writer = await asyncio.open_connection(
            "127.0.0.1", ports.get(level, ports[4]), limit=CHUNK
        )
        inner_writer.write(start)
        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))


async def wait_until_open(port: int) -> None:
    """Wait for rumqttd's listener."""
    while True:
        with contextlib.suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        await asyncio.sleep(0.02)


async def serve(port: int, ports: dict[int, int]) -> None:
    for inner in ports.values():
        await wait_until_open(inner)
    server = await asyncio.start_server(
        lambda reader, writer: serve_client(reader, writer, ports), "127.0.0.1", port, limit=CHUNK
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # logs a span at ERROR for every packet
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    config, port, v4, v5 = sys.argv[1], *(int(text) for text in sys.argv[2:])
    threading.Thread(target=IotCoreBroker(config_path=config).run_forever, daemon=True).start()
    uvloop.run(serve(port, {4: v4, 5: v5}))


if __name__ == "__main__":
    main()
