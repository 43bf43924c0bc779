"""Settings: optional, and malformed ones are named."""

import pytest

from runtime.settings import Settings, SettingsError, without_password


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No `.env` but the test's own."""
    monkeypatch.chdir(tmp_path)


def test_every_variable_is_optional():
    """The defaults are those of a plant on one machine."""
    settings = Settings.read()
    assert settings.mqtt_broker_url == "mqtt://localhost:1883"
    assert settings.kafka_bootstrap_servers == "localhost:9092"
    assert settings.database_url == "postgresql://postgres@localhost:5432/dashboard_kpi"
    assert settings.topics.raw == "production.raw"


def test_a_file_env_is_read_and_the_environment_goes_before_it(tmp_path, monkeypatch):
    """As everywhere."""
    (tmp_path / ".env").write_text("LINEPULSE_LANG=en\nMQTT_BROKER_URL=mqtts://box\n")
    monkeypatch.setenv("MQTT_BROKER_URL", "mqtt://other")
    assert (Settings.read().lang, Settings.read().mqtt_broker_url) == ("en", "mqtt://other")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MQTT_BROKER_URL", "localhost:1883", "mqtt://"),
        ("MQTT_BROKER_URL", "mqtt://localhost:no", "MQTT_BROKER_URL"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka", "host:port"),
        ("DATABASE_URL", "postgresql://localhost:5432", "/database"),
        ("DATABASE_URL", "postgresql://u@h/db?schema=public", "leave it out"),
        ("LINEPULSE_LANG", "de", "LINEPULSE_LANG"),
        ("LINEPULSE_HTTP_PORT", "70000", "LINEPULSE_HTTP_PORT"),
        ("LINEPULSE_TOPIC_PREFIX", "a b", "letters"),
        ("LINEPULSE_PARTITIONS", "0", "LINEPULSE_PARTITIONS"),
    ],
)
def test_a_malformed_variable_is_named_with_its_value_and_what_is_expected(
    monkeypatch, name, value, expected
):
    """One line for a person to act on."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert name in str(caught.value)
    assert value in str(caught.value)
    assert expected in str(caught.value)


def test_passwords_are_never_shown(monkeypatch):
    """Neither in the log nor in an error."""
    assert without_password("mqtts://ana:s3cret@box:8883") == "mqtts://ana:***@box:8883"
    assert without_password("mqtt://box") == "mqtt://box"
    monkeypatch.setenv("MQTT_BROKER_URL", "http://ana:s3cret@box")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert "s3cret" not in str(caught.value)


def test_more_in_flight_than_packet_ids_tell_apart_is_refused(monkeypatch):
    """Else repeats after a crash could be written twice; with 0 ids any number is allowed."""
    monkeypatch.setenv("LINEPULSE_MQTT_RECEIVE_MAXIMUM", "30000")
    with pytest.raises(SettingsError, match=r"LINEPULSE_MQTT_PACKET_IDS: .*RECEIVE_MAXIMUM to be 5461"):
        Settings.read()
    monkeypatch.setenv("LINEPULSE_MQTT_PACKET_IDS", "0")
    assert Settings.read().mqtt_receive_maximum == 30_000
    monkeypatch.setenv("LINEPULSE_MQTT_PACKET_IDS", "6000")
    monkeypatch.setenv("LINEPULSE_MQTT_RECEIVE_MAXIMUM", "500")
    assert Settings.read().mqtt_packet_ids == 6000
