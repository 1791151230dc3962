"""A user with a browser: script errors of a page fail the test, and screenshots of pages are kept for inspection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page
from yarl import URL

SCREENS: Final = Path(__file__).parents[2] / "build/screens"
SECONDS: Final = 20  # that a condition may take on a busy machine
WIDE: Final = {"width": 1440, "height": 900}
NARROW: Final = {"width": 360, "height": 740}
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Person:
    """`base`: the origin of the site; `page`: the tab in front; `expected`: parts of error messages that the test
    expects."""

    def __init__(self, base: str, context: BrowserContext) -> None:
        self.base = base
        self.context = context
        self.page: Page
        self.expected: list[str] = []
        self._complaints: list[str] = []

    async def tab(self) -> Page:
        """A new tab, in front."""
        self.page = page = await self.context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        return page

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(message.text)

    @property
    def complaints(self) -> list[str]:
        """Errors of scripts and of the security policy, without those that the test expects."""
        return [each for each in self._complaints if not any(part in each for part in self.expected)]

    async def open(self, path: str) -> Page:
        await self.page.goto(self.base + path)
        return self.page

    def sees(self, text: str) -> Locator:
        return self.page.get_by_text(text).first

    async def keeps(self, name: str, **more: Any) -> None:
        """A picture of the page in build/screens."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENS / f"{name}.png", full_page=True, **more)

    async def violations(self, *rules: str) -> list[str]:
        """What axe finds on the page. `rules`: only these; default all."""
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(AXE_SCRIPT)
        only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": _RULES}
        options = {"runOnly": only, "resultTypes": ["violations"]}
        found = await self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{rule['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
            for rule in found["violations"]
            for node in rule["nodes"][:3]
        ]


@asynccontextmanager
async def person(chromium: Browser, url: str = "", **options: Any) -> AsyncIterator[Person]:
    """A user with cookies of their own. At the end no page may have reported an error."""
    context = await chromium.new_context(viewport=WIDE, reduced_motion="reduce", **options)
    found = Person(str(URL(url).origin()) if url else "", context)
    try:
        await found.tab()
        if url:
            await found.page.goto(url)
        yield found
        assert found.complaints == []
    finally:
        await context.close()
