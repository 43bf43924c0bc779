"""The page in a real browser, against a real PostgreSQL."""

import re
import signal
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from playwright.async_api import Page, expect

from schemas.instant import SECOND
from sinks.schema import migrate
from tests.dashboard.clock import Clock
from tests.dashboard.page import Dashboard, browser_page
from tests.dashboard.rows import Plant
from tests.services import OwnServers, Services

pytestmark = pytest.mark.quick

LIVE_S = 2.0


AN_HOUR_LIKE_ANY = "2025-01-17 11:00"
SHIFT_CHANGE = "2025-01-17 22:00"  # when simulated lines stand still


@pytest.fixture
def hour() -> str:
    return AN_HOUR_LIKE_ANY


@pytest.fixture
def clock(hour: str) -> Clock:
    return Clock(hour)


@pytest.fixture
def plant(services: Services) -> Plant:
    return Plant(services.migrated_database())


async def until_live(page: Page) -> None:
    """The websocket is up: from here on the page is pushed to."""
    await page.wait_for_function("window.socket?.connected && window.did_handshake")


GREEN = """() => {
    const green = colour => {
        const [r, g, b, a] = colour.match(/[0-9.]+/g).map(Number);
        return a !== 0 && g > r + 12 && g > b + 12;
    };
    return [...document.querySelectorAll("main *, .summary *")].filter(element => {
        if (!element.checkVisibility({visibilityProperty: true}) || element.offsetWidth === 0) return false;
        if (element.matches(".state.running")) return true;
        const main = element.closest("main");
        if (main !== null && getComputedStyle(main).filter === "grayscale(1)") return false;
        const style = getComputedStyle(element);
        return green(style.backgroundColor)
            || (style.borderTopWidth !== "0px" && green(style.borderTopColor));
    }).map(element => element.outerHTML.slice(0, 200));
}"""


async def nothing_green(page: Page, seconds: float) -> None:
    """Wait until nothing on the page shows a line as running: no icon, no word, no colour."""
    until = time.monotonic() + seconds
    while green := await page.evaluate(GREEN):
        assert time.monotonic() < until, green
        await page.wait_for_timeout(100)


async def test_a_stage_that_stands_is_a_banner(services: Services, clock: Clock, tmp_path: Path):
    """Which one, and since when; no line runs meanwhile, whatever its last row says. It mends by itself.

    And a tile ages without a new row: it turns although nothing changes in the database.
    """
    plant = Plant(services.migrated_database(), "[line]\nsilence_s = 8\n")
    note = """INSERT INTO "StageProgress" AS s ("stage", "partition", "movedAt", "seenAt")
        SELECT stage, 0, now() + %(ahead)s - %(ago)s * (stage = 'streams')::int, now() + %(ahead)s
        FROM unnest('{sinks,kafka,bridge,streams}'::text[]) stage
        ON CONFLICT ("stage", "partition") DO UPDATE SET "movedAt" = excluded."movedAt" """
    with psycopg.connect(plant.url, autocommit=True) as connection:
        connection.execute(note, {"ahead": clock.ahead, "ago": timedelta(minutes=5)})
        plant.data("ligne1", clock.now_ms(), rate=113)
        with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
            async with browser_page(services.kind) as page:
                await page.goto(dashboard.url)
                # Again: on a busy machine the browser may start later than the other stages count as moving.
                connection.execute(note, {"ahead": clock.ahead, "ago": timedelta(minutes=5)})
                await expect(page.get_by_role("alert")).to_contain_text("Le calcul des lignes (streams)")
                await expect(page.get_by_role("alert")).to_contain_text("Depuis 1")
                await nothing_green(page, 2)
                plant.data("ligne1", clock.now_ms(), rate=117)
                connection.execute(note, {"ahead": clock.ahead, "ago": timedelta()})
                await expect(page.get_by_role("alert")).to_have_count(0)
                await expect(page.locator(".rate .big")).to_have_text("117")
                await expect(page.locator(".state").first).to_have_text("1 En marche")
                assert await page.evaluate(GREEN) != []
                tile = page.locator("[data-line=ligne1]")
                await nothing_green(page, 12)
                await expect(tile.locator(".state")).to_have_text("Sans données")
                await expect(tile.locator(".rate .big")).to_have_text("–")
                await expect(tile).to_contain_text("aucune donnée depuis 1")
                await expect(page.locator(".summary")).to_contain_text("1 Sans données")


async def test_a_page_that_hears_nothing_more_does_not_look_alive(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """The dashboard is frozen: the browser detects that by itself, and recovers when it runs again."""
    plant.data("ligne1", clock.now_ms(), rate=113)
    with Dashboard(plant.url, tmp_path / "run", lang="en", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            await expect(page.locator(".rate .big")).to_have_text("113", timeout=20_000)
            await until_live(page)
            dashboard.process.send_signal(signal.SIGSTOP)
            await nothing_green(page, 25)
            await expect(page.get_by_role("alert")).to_contain_text("gets nothing from its server any more")
            await expect(page.locator(".frozen-time")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
            await expect(page.locator(".when-frozen")).to_be_visible()
            await expect(page.locator(".rate .big")).to_be_hidden()
            plant.data("ligne1", clock.now_ms(), rate=117)
            dashboard.process.send_signal(signal.SIGCONT)
            await expect(page.get_by_role("alert")).to_have_count(0, timeout=20_000)
            await expect(page.locator(".rate .big")).to_have_text("117", timeout=20_000)


async def test_a_line_that_can_not_be_shown_costs_its_own_tile(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """An end in the year 9999 is shown; what can't be formed is said in its place. Neighbours live."""
    for line_id in ("ligne1", "ligne2", "ligne3"):
        plant.data(line_id, clock.now_ms(), rate=113)
    with psycopg.connect(plant.url) as connection:
        for table, column, time_, line_id in (
            ("ProductionOrder", "estimatedEndTime", "9999-12-31 23:59:59+00", "ligne1"),
            ("ProductionData", "timestamp", "infinity", "ligne2"),
        ):
            connection.execute(
                f'UPDATE "{table}" SET "{column}" = %s WHERE "lineId" = %s',
                [time_, line_id],
            )
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            await expect(page.locator("[data-line=ligne1]")).to_contain_text("fin vers 31/12/9999")
            await expect(page.locator("[data-line=ligne2]")).to_contain_text("ne peut pas être affichée")
            await expect(page.locator("[data-line=ligne3] .rate .big")).to_have_text("113")
            await page.goto(f"{dashboard.url}/line/ligne1")
            await expect(page.locator("tr.current")).to_contain_text("31/12/9999")
            await page.goto(f"{dashboard.url}/line/ligne2")
            await expect(page.locator(".tile")).to_contain_text("ne peut pas être affichée")
            await expect(page.locator("tr.current")).to_be_visible()
    assert dashboard.log.count("the page can't show ('tile', 'ligne2')") == 1


async def test_a_new_row_changes_the_tile_within_two_seconds(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """Rate, pieces and state follow the rows, without a reload."""
    plant.data("ligne1", clock.now_ms() - SECOND, count=100, rate=111)
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            tile = page.locator("[data-line=ligne1]")
            await expect(tile.locator(".rate .big")).to_have_text("111")
            await until_live(page)
            plant.data("ligne1", clock.now_ms(), count=900, rate=118)
            began = time.monotonic()
            await expect(tile.locator(".rate .big")).to_have_text("118", timeout=LIVE_S * 1000)
            await expect(tile).to_contain_text("10 %", timeout=1)
            plant.status("ligne1", clock.now_ms(), running=False, reason="Bourrage convoyeur")
            await expect(tile.locator(".state")).to_have_text("À l'arrêt", timeout=LIVE_S * 1000)
            await expect(tile).to_contain_text("Bourrage convoyeur", timeout=1)
            plant.data("ligne2", clock.now_ms(), rate=99)
            await expect(page.locator("[data-line=ligne2] .rate .big")).to_have_text(
                "99", timeout=LIVE_S * 1000
            )
            assert time.monotonic() - began < 3 * LIVE_S


async def test_the_language_switch(services: Services, plant: Plant, clock: Clock, tmp_path: Path):
    """FR and EN change every word, stay for the visit, and lead back to the page they were used on."""
    plant.data("ligne1", clock.now_ms())
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(f"{dashboard.url}/line/ligne1")
            await expect(page.locator(".tile .state")).to_have_text("En marche")
            await page.get_by_role("link", name="EN").click()
            await expect(page.locator(".tile .state")).to_have_text("Running")
            await expect(page.get_by_role("heading", name="Production orders")).to_be_visible()
            assert page.url == f"{dashboard.url}/line/ligne1"
            assert await page.evaluate("document.documentElement.lang") == "en"
            await page.get_by_role("link", name="All lines").click()
            await expect(page.get_by_role("heading", name="Stops")).to_be_visible()
            await page.get_by_role("link", name="FR").click()
            await expect(page.get_by_role("heading", name="Arrêts")).to_be_visible()


async def test_postgresql_away_is_shown_and_heals(
    services: Services, own: OwnServers, clock: Clock, tmp_path: Path
):
    """The banner comes, in our own words; the last values stay for as long as they can be of now.

    Then nothing runs any more, without a new row; and all of it mends by itself when PostgreSQL is back.
    """
    server = own.postgres()
    plant = Plant(services.migrated_database(server), "[line]\nsilence_s = 8\n")
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            plant.data("ligne1", clock.now_ms(), rate=113)
            rate = page.locator("[data-line=ligne1] .rate .big")
            await expect(rate).to_have_text("113")
            await until_live(page)
            server.stop()
            await expect(page.get_by_role("alert")).to_contain_text(
                "La base de données ne répond pas", timeout=15_000
            )
            await expect(rate).to_have_text("113")
            assert "refused" not in (await page.content()).lower()
            assert "127.0.0.1" not in await page.get_by_role("alert").inner_text()
            await nothing_green(page, 10)
            await expect(rate).to_have_text("–")
            server.start()
            plant.data("ligne1", clock.now_ms(), rate=117)
            await expect(page.get_by_role("alert")).to_have_count(0, timeout=15_000)
            await expect(rate).to_have_text("117", timeout=LIVE_S * 1000)


async def test_a_frozen_postgresql_is_shown_and_heals(
    services: Services, own: OwnServers, clock: Clock, tmp_path: Path
):
    """A server that takes connections and says nothing is away as well."""
    server = own.postgres()
    plant = Plant(services.migrated_database(server))
    plant.data("ligne1", clock.now_ms())
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            await expect(page.locator("[data-line=ligne1]")).to_be_visible()
            await until_live(page)
            server.freeze()
            try:
                await expect(page.get_by_role("alert")).to_be_visible(timeout=30_000)
            finally:
                server.thaw()
            await expect(page.get_by_role("alert")).to_have_count(0, timeout=30_000)


async def test_an_open_page_survives_a_restart(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """The dashboard dies and comes back: a page that was left open goes on by itself."""
    plant.data("ligne1", clock.now_ms(), rate=113)
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as first:
        async with browser_page(services.kind) as page:
            await page.goto(first.url)
            rate = page.locator("[data-line=ligne1] .rate .big")
            await expect(rate).to_have_text("113")
            await until_live(page)
            port = int(first.url.rpartition(":")[2])
            first.process.kill()
            first.process.wait()
            plant.data("ligne1", clock.now_ms(), rate=117)
            with Dashboard(plant.url, tmp_path / "again", port=port, clock=clock):
                await expect(rate).to_have_text("117", timeout=20_000)


async def test_an_empty_plant_says_what_to_do(services: Services, clock: Clock, tmp_path: Path):
    """Without tables it names the command, without rows a way to send some; the first row makes a tile."""
    url = services.database()
    with Dashboard(url, tmp_path / "run", lang="en", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            await expect(page.get_by_role("alert")).to_contain_text("linepulse setup")
            migrate(url)
            plant = Plant(url)
            await expect(page.get_by_role("heading", name="Waiting for the first message")).to_be_visible()
            await expect(page.get_by_text("python3 test-mqtt.py")).to_be_visible()
            await expect(page.get_by_role("alert")).to_have_count(0)
            plant.data("ligne1", clock.now_ms())
            await expect(page.locator("[data-line=ligne1]")).to_be_visible()
            await expect(page.locator(".empty-state")).to_have_count(0)


@pytest.mark.parametrize("hour", [AN_HOUR_LIKE_ANY, SHIFT_CHANGE])
async def test_a_line_in_full(services: Services, plant: Plant, clock: Clock, tmp_path: Path):
    """A click on a tile leads to its curve, orders, stops and alerts."""
    plant.simulate(2, clock.now_ms(), hours=3)
    plant.data("ligne2", clock.now_ms())  # whatever it did last, it runs
    plant.status("ligne2", clock.now_ms() + 1, running=False, reason="Fuite")
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            await page.locator("[data-line=ligne2]").click()
            await expect(page.get_by_role("heading", name="Ligne 2")).to_be_visible()
            await expect(page.locator("tr.open").first).to_contain_text("Fuite")
            await expect(page.locator("canvas")).to_be_visible()
            await expect(page.get_by_text("terminé").first).to_be_visible()
            await expect(page.get_by_text("arrêt machine").first).to_be_visible()


async def test_everything_comes_from_the_plants_own_network(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """No request leaves for anywhere else, nothing is missing, and no error is logged by the browser."""
    plant.simulate(1, clock.now_ms(), hours=1)
    asked: list[str] = []
    wrong: list[str] = []
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            page.on("request", lambda request: asked.append(request.url))
            page.on("response", lambda r: wrong.append(r.url) if r.status >= 400 else None)
            page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            await page.goto(f"{dashboard.url}/line/ligne1")
            await expect(page.locator("canvas")).to_be_visible()
            await until_live(page)
    assert wrong == []
    assert [url for url in asked if not url.startswith((dashboard.url, "data:"))] == []


@pytest.mark.parametrize("path", ["/", "/line/ligne1"])
async def test_it_fits_a_phone(services: Services, plant: Plant, clock: Clock, tmp_path: Path, path: str):
    """At 390 pixels nothing has to be scrolled sideways."""
    plant.simulate(2, clock.now_ms(), hours=1)
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind, 390, 844) as page:
            await page.goto(dashboard.url + path)
            await expect(page.locator(".tile-head").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_what_a_machine_says_is_only_text(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """Markup in a reason or a product is shown as it was written, and does nothing."""
    evil = "<img src=x onerror=\"document.title='gotcha'\">"
    plant.order("ligne1", clock.now_ms(), productType=evil, quantity=5000)
    plant.data("ligne1", clock.now_ms())
    plant.status("ligne1", clock.now_ms(), running=False, reason=evil)
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            for path in ("/", "/line/ligne1"):
                await page.goto(dashboard.url + path)
                await expect(page.locator(".note strong")).to_have_text(evil)
                assert await page.title() == "linepulse"


async def test_an_address_that_is_no_line_harms_nobody(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """A visitor of a line that is not there reads so, and the others see no difference."""
    plant.data("ligne1", clock.now_ms())
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            for path in ("/line/ligne99", "/line/%00%27--", "/line/%3Cscript%3E"):
                await page.goto(dashboard.url + path)
                await expect(page.get_by_text("Cette ligne n'a encore rien envoyé")).to_be_visible()
            await page.goto(dashboard.url)
            await expect(page.locator("[data-line=ligne1]")).to_be_visible()
            await expect(page.get_by_role("alert")).to_have_count(0)


async def test_sigterm_ends_it_with_a_page_open(
    services: Services, plant: Plant, clock: Clock, tmp_path: Path
):
    """It ends in time and well, says nothing but its address, and leaves no file behind."""
    plant.data("ligne1", clock.now_ms())
    with Dashboard(plant.url, tmp_path / "run", clock=clock) as dashboard:
        async with browser_page(services.kind) as page:
            await page.goto(dashboard.url)
            await until_live(page)
            assert dashboard.end() == 0
        assert dashboard.log == f"📊 Page: {dashboard.url}\n"
        assert [path.name for path in dashboard.folder.iterdir()] == ["log"]
