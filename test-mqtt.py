#!/usr/bin/env python3
"""A machine for trying out the pipeline: publishes to production/ligne1/data every 2 seconds.

    python3 test-mqtt.py          until Ctrl-C
    python3 test-mqtt.py --test   three messages

Needs paho-mqtt only (1.6 or 2.x) and Python 3.8; MQTT_BROKER_URL says where the broker is.
"""

import json
import math
import os
import random
import sys
import time
from datetime import datetime, timezone
from urllib.parse import unquote, urlsplit

try:
    import paho.mqtt.client as mqtt
except ImportError:
    sys.exit("❌ paho-mqtt manque. Installez-le: pip3 install paho-mqtt")

TOPIC = "production/ligne1/data"
TARGET_RATE = 120.0  # bottles per minute
FIRST_RATE = 115.0
EVERY_S = 2.0
ANSWER_S = 10.0  # how long the broker may take to answer


def machine():
    """What the machine measures, every EVERY_S seconds: the bottles follow from the rate, to the bottle."""
    rate, made, sent = FIRST_RATE, 0.0, 0
    while True:
        made += rate * EVERY_S / 60.0
        count = math.floor(made) - sent
        sent += count
        warm = 26.0 + (rate - 100.0) / 10.0
        yield {
            "count": count,
            "targetRate": TARGET_RATE,
            "rate": rate,
            "defects": 1 if sent > 60 and random.random() < 0.03 * count else 0,
            "running": True,
            "temperature": round(warm + random.uniform(-0.3, 0.3), 1),
            "pressure": round(random.uniform(2.4, 2.6), 2),
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),  # noqa: UP017 - Python 3.8
        }
        rate = min(125.0, max(105.0, rate + random.randint(-2, 2)))


def session(url):
    """A client for the broker at `url`, of either version of paho."""
    name = f"linepulse-test-{os.getpid()}-{time.time():.0f}"
    if hasattr(mqtt, "CallbackAPIVersion"):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name)
    else:
        client = mqtt.Client(name)
    if url.username is not None:
        client.username_pw_set(unquote(url.username), unquote(url.password or ""))
    if url.scheme == "mqtts":
        client.tls_set()
    return client


def connect(client, host, port):
    """Open the session, or end with a sentence that says what is wrong."""
    answers = []
    client.on_connect = lambda _client, _data, _flags, reason, *_: answers.append(reason)
    try:
        client.connect(host, port, keepalive=30)
    except (OSError, ValueError) as error:
        sys.exit(
            f"❌ Aucun broker MQTT sur {host}:{port} ({error}). Démarrez-le, ou corrigez MQTT_BROKER_URL."
        )
    client.loop_start()
    until = time.monotonic() + ANSWER_S
    while not answers and time.monotonic() < until:
        time.sleep(0.02)
    if not answers:
        sys.exit(f"❌ {host}:{port} ne répond pas en MQTT. Vérifiez MQTT_BROKER_URL.")
    if answers[0] != 0:
        sys.exit(f"❌ Le broker {host}:{port} refuse la connexion: {answers[0]}.")


def publish(client, number, sample):
    """Send one message at QoS 1 and wait until the broker has it."""
    sent = client.publish(TOPIC, json.dumps(sample), qos=1)
    until = time.monotonic() + ANSWER_S
    while not sent.is_published():
        if time.monotonic() >= until:
            sys.exit(f"❌ [{number}] Le broker n'a pas confirmé le message en {ANSWER_S:.0f} s.")
        time.sleep(0.01)
    print(
        f"[{number}] 📊 Données envoyées: cadence={sample['rate']:.0f} b/min, défauts={sample['defects']}",
        flush=True,
    )


def main():
    """Connect, then a message every EVERY_S seconds; with --test, three of them."""
    unknown = [word for word in sys.argv[1:] if word != "--test"]
    if unknown:
        sys.exit(f"❌ Option inconnue: {unknown[0]}. Usage: python3 test-mqtt.py [--test]")
    last = 3 if "--test" in sys.argv[1:] else math.inf
    try:
        url = urlsplit(os.environ.get("MQTT_BROKER_URL", "mqtt://localhost:1883"))
        host, port = url.hostname or "localhost", url.port or (8883 if url.scheme == "mqtts" else 1883)
        if "@" in url.path + url.query + url.fragment:  # then what comes before it is of a password
            raise ValueError
    except ValueError:  # its text may quote the password
        sys.exit("❌ MQTT_BROKER_URL: attendu mqtt://[utilisateur:motdepasse@]hôte[:port]")
    client = session(url)
    print(f"🔌 Connexion à {host}:{port}...", flush=True)
    connect(client, host, port)
    print(f"✅ Connecté ! Envoi de données toutes les {EVERY_S:.0f} secondes...", flush=True)
    began = time.monotonic()
    for number, sample in enumerate(machine(), 1):
        publish(client, number, sample)
        if number >= last:
            break
        time.sleep(max(0.0, began + number * EVERY_S - time.monotonic()))
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("👋 Arrêt.")
