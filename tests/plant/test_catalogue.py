"""Sentences: whatever is refused, there is one in French and in English."""

import json
from collections.abc import Callable

import pytest

from plant.catalogue import refusal
from schemas.bounds import Payload
from schemas.data import Data, careful_data, parse_data
from schemas.errors import Poison
from schemas.operator_message import OperatorMessage, parse_operator_message
from schemas.payloads import OrderMessage, Status, parse_order, parse_status

Read = Callable[[bytes], object]
Case = tuple[Read, dict[str, object], str, str]

DATA: dict[str, object] = {"count": 1}
STATUS: dict[str, object] = {"status": "running"}
ORDER: dict[str, object] = {"action": "add", "orderNumber": "A1", "productType": "750 ml", "quantity": 1}
OPERATOR: dict[str, object] = {"action": "plan", "start": 1e9, "end": 1e9, "requestId": "1"}
MODELS: list[tuple[type[Payload], Read, dict[str, object]]] = [
    (Status, parse_status, STATUS),
    (OrderMessage, parse_order, ORDER),
    (OperatorMessage, parse_operator_message, OPERATOR),
]


def cases() -> list[Case]:
    """Each field of each message, by each name under which it is accepted; and its documented name."""
    fields: list[Case] = []
    for model, read, message in MODELS:
        for name, field in model.model_fields.items():
            fields.append((read, message, name, field.alias or name))
    for name, documented in zip(Data.__struct_fields__, Data.__struct_encode_fields__, strict=True):
        fields += [(parse_data, DATA, name, documented), (careful_data, DATA, name, documented)]
    renamed = [(read, message, alias, alias) for read, message, name, alias in fields if name != alias]
    return fields + renamed


@pytest.mark.parametrize(("read", "message", "spelled", "documented"), cases())
def test_each_field_that_can_be_refused_has_its_sentence(read, message, spelled, documented):
    """A refusal without one would be an error of ours, and say nothing to whoever sent the message."""
    sent = {name: value for name, value in message.items() if name != documented} | {spelled: [1]}
    with pytest.raises(Poison) as refused:
        read(json.dumps(sent).encode())
    assert refused.value.reason == "bad_field"
    for language in ("fr", "en"):
        assert f" {documented} " in refusal(language, refused.value)
