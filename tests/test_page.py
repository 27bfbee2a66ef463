"""The HTML report in headless Chromium: what it shows at two widths, and that it can be
folded, hovered and sorted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import FIXTURES, run_shapelint

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")),
    ),
    None,
)
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE, NARROW = 1280, 400

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with nested modules, one of which fails."""
    folder = tmp_path_factory.mktemp("page")
    source = (FIXTURES / "resnet.py").read_text()
    (folder / "resnet.py").write_text(source)
    done = run_shapelint("check", "resnet.py:ResNet", "train.py", "--input", "1,4,32,32", "--output-format",
                         "html=report.html", cwd=folder)  # fmt: skip
    assert done.code == 2, done  # train.py is not there
    return folder / "report.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report, WIDE)


@pytest.fixture
def narrow_page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report, NARROW)


def opened(browser: Browser, file: Path, width: int) -> Iterator[Page]:
    """The page; a word of the console, an exception or a request for anything else
    fails the test."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    shown = context.new_page()
    shown.set_default_timeout(5000)
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda message: wrong.append(message.text))
    shown.on(
        "request",
        lambda request: (
            wrong.append(request.url) if request.url != file.as_uri() else None
        ),
    )
    shown.goto(file.as_uri())
    yield shown
    context.close()
    assert wrong == []


def shown_layers(page: Page) -> set[str]:
    """The words of every block that is there."""
    return {
        text.splitlines()[0]
        for text in page.locator("svg .block").evaluate_all(
            "all => all.map(b => b.getAttribute('aria-label'))"
        )
    }


def test_the_failing_edge_is_red_with_its_finding_and_fix_beside_it(page: Page) -> None:
    red = "rgb(209, 36, 47)"
    line = page.locator("svg path.line.broken")
    assert line.count() == 1
    assert line.evaluate("line => getComputedStyle(line).stroke") == red
    assert page.locator("svg .shape.broken").text_content() == "1×4×32×32"
    failed = page.locator("svg .block.failed:not(.open) > .box")
    assert failed.first.evaluate("box => getComputedStyle(box).stroke") == red
    note = page.locator("svg .note")
    assert "SHP102 conv-channel-mismatch" in (note.text_content() or "")
    assert "fix:" in (note.text_content() or "")
    block, beside = failed.first.bounding_box(), note.bounding_box()
    assert block is not None
    assert beside is not None
    assert beside["x"] > block["x"] + block["width"]
    assert abs(beside["y"] + beside["height"] / 2 - block["y"] - 15) < 60


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_at_each_width_everything_can_be_seen(
    browser: Browser, report: Path, width: int, tmp_path: Path
) -> None:
    for page in opened(browser, report, width):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for heading in ("Findings", "Picture", "Parameters", "Layers"):
            assert page.get_by_role(
                "heading", name=heading, exact=True
            ).first.is_visible()
        first = page.locator("svg .block.data").first.bounding_box()
        assert first is not None
        assert first["x"] >= 0
        assert first["x"] + first["width"] <= width
        assert len(page.screenshot(path=tmp_path / "page.png", full_page=True)) > 20_000


def test_the_words_of_a_block_fit_into_it(page: Page) -> None:
    page.get_by_role("button", name="unfold all").first.click()
    too_wide = page.locator("svg .block:not(.open)").evaluate_all(
        "all => all.flatMap(b => { const box = [...b.querySelectorAll('rect.box')].pop().getBoundingClientRect();"
        " return [...b.querySelectorAll('text')].filter(t => t.getBoundingClientRect().width > box.width + 1)"
        ".map(t => t.textContent); })"
    )
    assert too_wide == []


def test_modules_fold_and_unfold_where_they_are(page: Page) -> None:
    before = shown_layers(page)
    module = page.locator('svg .folding[aria-expanded="false"]').first
    name = (module.get_attribute("aria-label") or "").split()[0]
    assert not any(layer.startswith(f"{name}.conv1") for layer in before)
    module.scroll_into_view_if_needed()
    place = module.bounding_box()
    module.click(position={"x": 30, "y": 8})
    opened_one = page.locator(f'svg .open[aria-label^="{name} "]')
    now = opened_one.bounding_box()
    assert any(layer.startswith(f"{name}.conv1") for layer in shown_layers(page))
    assert place is not None
    assert now is not None
    assert abs(place["y"] - now["y"]) < 2
    page.keyboard.press("Enter")  # it has the focus
    assert shown_layers(page) == before


def test_all_can_be_folded_and_unfolded(page: Page) -> None:
    first = shown_layers(page)
    page.get_by_role("button", name="fold all", exact=True).first.click()
    closed = shown_layers(page)
    page.get_by_role("button", name="unfold all").first.click()
    everything = shown_layers(page)
    assert closed < everything
    assert first <= everything
    page.get_by_role("button", name="as at first").first.click()
    assert shown_layers(page) == first


def test_unfolded_blocks_do_not_cover_each_other(page: Page) -> None:
    page.get_by_role("button", name="unfold all").first.click()
    boxes = page.locator("svg .block:not(.open)").evaluate_all(
        "all => all.map(b => { const r = [...b.querySelectorAll('rect.box')].pop().getBoundingClientRect();"
        " return [r.left, r.top, r.right, r.bottom]; })"
    )
    assert len(boxes) > 50
    for number, (left, top, right, bottom) in enumerate(boxes):
        for left2, top2, right2, bottom2 in boxes[number + 1 :]:
            assert (
                right <= left2 + 1
                or right2 <= left + 1
                or bottom <= top2 + 1
                or bottom2 <= top + 1
            )


def test_hovering_shows_shapes_and_the_source_line(page: Page) -> None:
    hover = page.locator("#hover")
    assert hover.is_hidden()
    page.locator("svg .block.failed:not(.open)").first.hover()
    words = hover.inner_text()
    assert "in 1×4×32×32" in words
    assert "parameters" in words
    assert "made at resnet.py:" in words
    assert "nn.Conv2d(" in words
    page.mouse.move(1, 1)
    assert hover.is_hidden()


def test_a_finding_leads_to_its_place_in_the_picture(page: Page) -> None:
    page.get_by_role("button", name="fold all", exact=True).first.click()
    page.get_by_role("button", name="show in the picture").first.click()
    called = page.locator("svg .called")
    assert called.count() == 1
    assert "failed" in (called.get_attribute("class") or "")


def test_the_table_sorts_by_every_column(page: Page) -> None:
    def column(number: int) -> list[str]:
        found: list[str] = page.locator(f"tbody td:nth-child({number})").evaluate_all(
            "all => all.map(c => c.dataset.value ?? c.textContent)"
        )
        return found

    params = page.get_by_role("button", name="params", exact=True)
    params.click()
    assert [int(text) for text in column(6)] == sorted(
        (int(text) for text in column(6)), reverse=True
    )
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("params")
    params.click()
    assert [int(text) for text in column(6)] == sorted(int(text) for text in column(6))
    page.get_by_role("button", name="op", exact=True).click()
    assert [text.lower() for text in column(3)] == sorted(
        text.lower() for text in column(3)
    )
    page.get_by_role("button", name="#", exact=True).click()
    page.get_by_role("button", name="#", exact=True).click()
    assert [int(text) for text in column(1)] == list(range(1, len(column(1)) + 1))


def test_the_page_also_tells_of_the_target_that_could_not_be_checked(
    page: Page,
) -> None:
    assert page.get_by_role("heading", name="train.py").is_visible()
    assert "not checked" in page.locator("#target-1 .facts").inner_text()


def test_narrow_pages_have_no_notes_beside_the_picture(narrow_page: Page) -> None:
    assert narrow_page.locator("svg .note").count() == 0
    assert narrow_page.locator("svg path.line.broken").count() == 1


def test_without_scripts_the_picture_is_there_all_the_same(
    browser: Browser, report: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    shown = context.new_page()
    shown.goto(report.as_uri())
    assert "SHP102" in (shown.locator("svg .note").text_content() or "")
    context.close()
