"""An order's number that comes again: PostgreSQL has both orders, live and rebuilt."""

import asyncio

from runtime.sql import statement
from schemas.raw import Kind
from schemas.state import MAX_REMEMBERED
from tests.rebuild.test_every_payload import SCHEMA, compared
from tests.rules.line import Line
from tests.services import Services
from tests.sinks.conftest import Plant, make_plant


def plan(line: Line, number: str, quantity: int) -> Line:
    return line.says(Kind.ORDER, orderNumber=number, productType="Eau 50cl", quantity=quantity)


def test_both_orders_of_a_number_are_right_to_the_unit_live_and_rebuilt(services: Services):
    """Their rows, and their windows' sums; a look-up by number finds the newest order."""
    #  10:00          10:01    10:02
    #    |─ A: 60 × 4 ─┤ 500 others │─ A again: 30 × 4, for 1000
    line = plan(Line.at("10:00"), "A", 240).runs(minutes=2)
    line.says(Kind.ORDER, action="close")
    for other in range(MAX_REMEMBERED):
        plan(line, f"B{other}", 1).says(Kind.ORDER, action="cancel", orderNumber=f"B{other}")
    plan(line.silent(seconds=10), "A", 1000).runs(minutes=1)
    url = services.database()
    make_plant(url)
    asyncio.run(compared(url, line.records))
    plant = Plant(url)
    try:
        for schema in ("public", SCHEMA):
            made = plant.rows(
                f'SELECT "produced", "status" FROM "{schema}"."ProductionOrder" '
                """WHERE "orderNumber" = 'A' ORDER BY "createdAt" """
            )
            assert [tuple(row.values()) for row in made] == [(240, "completed"), (120, "running")]
        of = 'SELECT "pieces", "periodStart" FROM "KPIOrder" WHERE "orderNumber" = %s ORDER BY 2'
        assert [row["pieces"] for row in plant.rows(of, ["A"])] == [240, 120]
        named = plant.rows(statement("effects.order"), {"line": "ligne1", "number": "A"})
        assert [(row["produced"], row["status"]) for row in named] == [(120, "running")]
        listed = plant.rows(statement("lists.orders"), ["ligne1", "ligne1", None, None, 1000])
        assert [row["produced"] for row in listed if row["number"] == "A"] == [120, 240]
    finally:
        asyncio.run(plant.close())
