"""The two pages, all lines and one line: built once per visit, then updated after each reading."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from nicegui import ui

from dashboard import render
from dashboard.board import Board
from dashboard.chart import curve
from dashboard.models import Detail, Tile
from dashboard.words import LANGUAGES, Words
from schemas.raw import LINE_ID

ASSETS = Path(__file__).parent / "assets"
COOKIE = "linepulse_lang"
YEAR_S = 365 * 86_400


def build(app: FastAPI, board: Board, lang: str, mqtt_url: str) -> None:
    """Add the pages to the app. `lang` is the language of visitors who have not chosen one."""
    app.mount("/assets", StaticFiles(directory=ASSETS), name="assets")

    @app.get("/lang/{chosen}")
    def choose(chosen: str, back: str = "/") -> Response:
        response = RedirectResponse(_here(back), status_code=303)
        if chosen in LANGUAGES:
            response.set_cookie(COOKIE, chosen, max_age=YEAR_S, samesite="lax", httponly=True)
        return response

    @ui.page("/", title="linepulse")
    def plant(request: Request) -> None:
        PlantPage(board, _chosen(request, lang), mqtt_url)

    @ui.page("/line/{line_id}", title="linepulse")
    def line(request: Request, line_id: str) -> None:
        LinePage(board, _chosen(request, lang), line_id)


class Frame:
    """What both pages share: header, summary, banner, and the update after each reading."""

    def __init__(self, board: Board, lang: str, path: str) -> None:
        self.board = board
        self._lang = lang
        self._words = Words(lang, board.page_rules.time_zone)
        self._readings = 0
        ui.add_head_html(f'<link rel="stylesheet" href="/assets/page.css?v={_version()}">')
        ui.add_head_html(f"<script>document.documentElement.lang = '{lang}'</script>")
        ui.add_head_html(f'<script src="/assets/page.js?v={_version()}" defer></script>')
        self._show("header", tag="header").content = render.fragment(
            "header", self.words, languages=LANGUAGES, back=path
        )
        self._show("frozen-place").content = render.fragment("frozen", self.words)
        self._news = self._show("news")  # changes with every reading: the browser watches it
        self._banner = self._show("banner-place")
        self._summary = self._show("summary")

    @property
    def words(self) -> Words:
        """The page's words, in the time zone of the rules in force."""
        if self._words.time_zone != self.board.page_rules.time_zone:
            self._words = Words(self._lang, self.board.page_rules.time_zone)
        return self._words

    def keep_fresh(self, refresh: Callable[[], None], line_id: str | None = None) -> None:
        """Refresh now and after each reading, until the visitor is gone."""

        def on_reading() -> None:
            self._refresh_frame()
            refresh()

        ui.context.client.on_delete(self.board.subscribe(on_reading, line_id))
        on_reading()

    def _refresh_frame(self) -> None:
        board = self.board
        self._banner.content = self.safely("banner", self._banner_text)
        self._summary.content = self.safely(
            "summary", lambda: render.summary(board.tiles, self.words, board.moment)
        )
        self._readings += 1
        self._news.content = str(self._readings)

    def _banner_text(self) -> str:
        board = self.board
        if board.trouble is not None:
            return render.fragment(
                "banner", self.words, trouble=board.trouble, loaded=board.loaded, read=board.read
            )
        halt = board.moment.pipeline.halt
        return "" if halt is None else render.fragment("halted", self.words, halt=halt, now=board.now)

    def tile(self, tile: Tile) -> str:
        """A tile's content, rendered once per reading and language."""
        board, words = self.board, self.words
        return board.shared(
            (tile.line_id, self._lang),
            lambda: board.guarded(
                ("tile", tile.line_id),
                lambda: render.tile(tile, board.overview, words, board.moment),
                lambda: render.failed_tile(tile, words),
            ),
        )

    def safely(self, what: str, form: Callable[[], str]) -> str:
        """The result of `form`, or a notice that this part of the page can't be shown."""
        return self.board.guarded(what, form, lambda: render.fragment("failed", self.words))

    def fill(self, tables: Mapping[str, ui.html], forms: Mapping[str, Callable[[], str]]) -> None:
        """Update tables; one that fails leaves the others alone."""
        for name, form in forms.items():
            tables[name].content = self.safely(name, form)

    def panel(self, name: str) -> ui.html:
        """A heading and an empty table."""
        with ui.element("section").classes("panel"):
            self._show("", tag="h3").content = self.words.t(name)
            return self._show("table")

    @staticmethod
    def _show(classes: str, tag: str = "div") -> ui.html:
        return ui.html("", sanitize=False, tag=tag).classes(classes)


class PlantPage(Frame):
    """A tile per line."""

    def __init__(self, board: Board, lang: str, mqtt_url: str) -> None:
        super().__init__(board, lang, "/")
        self._mqtt = _without_user(mqtt_url)
        self._tiles: dict[str, ui.html] = {}
        with ui.element("main").classes("plant"):
            self._grid = ui.element("div").classes("tiles")
            self._more = self._show("more-place")
            with ui.element("div").classes("panels") as self._panels:
                self._tables = {name: self.panel(name) for name in ("stops", "alerts")}
        self._empty = self._show("empty-place")
        self.keep_fresh(self._refresh)

    def _refresh(self) -> None:
        tiles = self.board.tiles
        lines = [tile.line_id for tile in tiles]
        if list(self._tiles) != lines:
            self._lay_out(lines)
        for tile in tiles:
            self._tiles[tile.line_id].content = self.tile(tile)
        self.fill(self._tables, render.recent(self.board.overview, self.words, self.board.now))
        self._more.content = render.more(self.board.overview, self.words)
        self._panels.set_visibility(bool(lines))
        nothing = self.board.loaded and not lines
        self._empty.content = render.fragment("empty", self.words, mqtt=self._mqtt) if nothing else ""

    def _lay_out(self, lines: list[str]) -> None:
        """Make the tiles anew: a line was added or removed, or the order changed."""
        self._grid.clear()
        self._tiles = {}
        with self._grid:
            for line_id in lines:
                link = ui.element("a").classes("tile")
                link.props.update({"href": f"/line/{quote(line_id)}", "data-line": line_id})
                with link:
                    self._tiles[line_id] = self._show("tile-body")


class LinePage(Frame):
    """One line: its tile, the KPI curve, orders, stops, alerts."""

    def __init__(self, board: Board, lang: str, line_id: str) -> None:
        super().__init__(board, lang, f"/line/{quote(line_id, safe='')}")
        self._line_id = line_id
        with ui.element("main").classes("line"):
            self._back()
            with ui.element("div").classes("line-top"):
                with ui.element("section").classes("tile alone"):
                    self._tile = self._show("tile-body")
                with ui.element("section").classes("panel"):
                    self._show("", tag="h3").content = self.words.t("curve")
                    self._chart = ui.echart(self._curve()).classes("curve")
            self._tables = {"orders": self.panel("orders")}
            with ui.element("div").classes("panels"):
                self._tables |= {name: self.panel(name) for name in ("stops", "alerts")}
        # PostgreSQL is not asked for a name that can't be a line's.
        self.keep_fresh(self._refresh, line_id if LINE_ID.fullmatch(line_id) else None)

    def _back(self) -> None:
        with ui.element("a").classes("back").props('href="/"'):
            ui.html(f"← {self.words.t('all_lines')}", sanitize=False, tag="span")

    def _curve(self) -> dict[str, object]:
        return curve(self._detail().curve, self.words, self.board.now)

    def _detail(self) -> Detail:
        return self.board.details.get(self._line_id, Detail())

    def _refresh(self) -> None:
        board = self.board
        tile = next((tile for tile in board.tiles if tile.line_id == self._line_id), None)
        if tile is None:
            self._tile.content = render.fragment("unknown_line", self.words) if board.loaded else ""
            return
        self._tile.content = self.tile(tile)
        if self._line_id not in board.details:
            return  # the reading that includes it is under way
        self.fill(self._tables, render.tables(self._detail(), self.words, board.now))
        options = self._curve()
        if options != dict(self._chart.options):
            self._chart.options.update(options)
            self._chart.update()


def _chosen(request: Request, default: str) -> str:
    chosen = request.cookies.get(COOKIE, default)
    return chosen if chosen in LANGUAGES else default


def _here(back: str) -> str:
    """`back` if it is a path of this site, else `/`: a link must not redirect elsewhere."""
    return back if back.startswith("/") and back[1:2] not in ("/", "\\") else "/"


def _without_user(url: str) -> str:
    """The broker's address without user and password: anyone may see the page."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _version() -> int:
    return max(int(asset.stat().st_mtime) for asset in ASSETS.iterdir())
