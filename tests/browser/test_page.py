"""The page of what a suite proves, in a real browser: it reads, filters, moves by keys, and fetches nothing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenroom.facts.outcome import Cell, Cost, Example, Outcome, Planned, Problem
from greenroom.report.page import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")

#: What a browser that may reach nothing is started with.
ALONE = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
]
EVIL = '<img src="http://127.0.0.1:9/x.png" onerror="document.title=1"><script>evil()</script>'

Look = Callable[..., dict[str, Any]]


def outcome() -> Outcome:
    made = Outcome("main:app", notes={"a note & more"})
    for number in range(3):
        for method in ("GET", "POST"):
            name = f"{method} /things{number}/{{id}}"
            made.operations.add(name)
            made.plan[name, "200"] = Planned(name, "200", ("declared in OpenAPI",))
            made.plan[name, "404"] = Planned(name, "404", ("raised in main.read",))
            looked = {f"test_things.py::test_{method}[{one}]" for one in range(20)}
            made.cells[name, "200"] = Cell(20, {"application/json"}, looked)
            made.costs[name] = Cost(3, "test_x", 20, 0.1, 0.05)
    covered = "GET /things0/{id}"
    made.cells[covered, "404"] = Cell(1, set(), {"test_404"})
    made.cells["GET /things1/{id}", "404"] = Cell(1, set(), set(), {"test_caused"})
    name = "POST /things2/{id}"
    made.plan[name, "404"] = Planned(name, "404", ("raised in main.read",), "not ours")
    problem = Problem(covered, "200", "schema", "/name", "a string")
    body = json.dumps({"name": EVIL})
    made.problems[problem] = Example({"test_things.py::test_x"}, EVIL, body, '{"type": "object"}')
    return made


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Open the page, let a script do something there, and give what that tells."""

    def go(script: str, *flags: str) -> dict[str, Any]:
        told = f"""
<script>
const told = {{}};
{script}
const place = document.createElement("pre");
place.id = "told";
place.textContent = JSON.stringify(told);
document.body.append(place);
</script></body>"""
        file = tmp_path / "page.html"
        file.write_text(page(outcome()).replace("</body>", told), encoding="utf-8")
        assert CHROMIUM is not None
        command = [CHROMIUM, *ALONE, *flags, f"--user-data-dir={tmp_path / 'profile'}"]
        done = subprocess.run(
            [*command, "--dump-dom", file.as_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found is not None, done.stderr[-2000:]
        result: dict[str, Any] = json.loads(html.unescape(found[1]))
        return result

    return go


ROWS = """
const rows = () => [...document.querySelectorAll(".matrix tbody tr")]
  .filter((row) => !row.hidden).map((row) => row.dataset.operation);
const key = (name) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
const type = (text) => {
  const field = document.getElementById("filter");
  field.value = text;
  field.dispatchEvent(new Event("input"));
};
"""


def test_the_page_shows_what_is_covered_and_by_which_tests(look: Look) -> None:
    """Figures, the matrix, problems with body and schema, and tests behind each cell."""
    told = look(
        """
told.figures = [...document.querySelectorAll(".figures dd")].map((one) => one.textContent);
told.cells = [...document.querySelectorAll(".matrix a.cell")].map((one) => one.ariaLabel);
told.target = document.querySelector(document.querySelector(".matrix a.cell").getAttribute("href"))
  .textContent;
told.problem = document.querySelector("#problems + article").textContent;
told.more = document.querySelectorAll("details").length;
told.broken = [...document.querySelectorAll('a[href^="#"]')]
  .filter((one) => !document.getElementById(one.getAttribute("href").slice(1))).length;
told.notes = document.body.textContent.includes("a note & more");
"""
    )
    assert told["figures"] == ["63.6 %", "7 / 11", "6", "1"]
    assert told["cells"].count("200: covered") == 6
    assert told["cells"].count("404: covered") == 1
    assert told["cells"].count("404: only caused: no test looks at it") == 1
    assert told["cells"].count("404: dropped") == 1
    assert told["cells"].count("404: not shown") == 3
    assert "declared in OpenAPI" in told["target"]
    assert "test_things.py::test_GET[0]" in told["target"]
    assert "expected a string" in told["problem"]
    assert '"type": "object"' in told["problem"]
    assert told["more"] == 6
    assert told["broken"] == 0
    assert told["notes"] is True


def test_the_filter_narrows_the_page(look: Look) -> None:
    """By words of the operation's name, and by what has gaps."""
    told = look(
        ROWS
        + """
told.all = rows().length;
type("things1");
told.words = rows();
told.count = document.getElementById("count").textContent;
told.sections = [...document.querySelectorAll("section")].filter((one) => !one.hidden).length;
type("POST things1");
told.both = rows();
type("nothing");
told.none = rows();
type("");
const gaps = document.getElementById("gaps");
gaps.checked = true;
gaps.dispatchEvent(new Event("change"));
told.gaps = rows();
"""
    )
    assert told["all"] == 6
    assert told["words"] == ["GET /things1/{id}", "POST /things1/{id}"]
    assert told["count"] == "2 shown"
    assert told["sections"] == 2
    assert told["both"] == ["POST /things1/{id}"]
    assert told["none"] == []
    assert told["gaps"] == [
        "POST /things0/{id}",
        "GET /things1/{id}",
        "POST /things1/{id}",
        "GET /things2/{id}",
    ]


def test_the_matrix_is_used_by_keys(look: Look) -> None:
    """Arrows move, a slash goes to the filter, Escape empties it; hidden rows are passed over."""
    told = look(
        ROWS
        + """
const at = () => document.activeElement.getAttribute("href") ?? document.activeElement.id;
document.querySelector(".matrix a.cell").focus();
told.path = [at()];
for (const name of ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"]) {
  key(name);
  told.path.push(at());
}
type("POST");
document.querySelectorAll(".matrix tbody tr:not([hidden]) a.cell")[0].focus();
key("ArrowDown");
told.filtered = at();
key("/");
told.slash = at();
key("Escape");
told.rows = rows().length;
"""
    )
    first, second, third, *rest = told["path"]
    assert (first, second, third) == ("#o0-200", "#o0-404", "#o0-404")
    assert rest == ["#o1-404", "#o1-200", "#o0-200", "#o0-200"]
    assert told["filtered"] == "#o3-200"
    assert told["slash"] == "filter"
    assert told["rows"] == 6


COLOURS = """
const colour = (name) => getComputedStyle(document.querySelector(name));
told.paper = colour("body").backgroundColor;
told.ink = colour("body").color;
told.dark = matchMedia("(prefers-color-scheme: dark)").matches;
"""


def test_it_can_be_read_in_the_dark(look: Look) -> None:
    """Light on dark where the reader prefers that; enough of a contrast in both."""
    dark = look(COLOURS, "--blink-settings=preferredColorScheme=0")
    light = look(COLOURS, "--blink-settings=preferredColorScheme=1")
    assert dark["dark"] is True
    assert light["dark"] is False
    for told in (dark, light):
        assert _contrast(told["paper"], told["ink"]) > 7
    assert _brightness(dark["paper"]) < 0.1 < _brightness(light["paper"])


def test_it_fits_a_phone(look: Look) -> None:
    """The page doesn't scroll sideways; the matrix does, inside of its frame."""
    told = look(
        """
told.page = document.documentElement.scrollWidth;
told.window = window.innerWidth;
told.sides = getComputedStyle(document.querySelector(".sides")).gridTemplateColumns.split(" ").length;
""",
        "--window-size=500,900",
    )
    assert told["page"] <= told["window"]
    assert told["sides"] == 1


def test_nothing_is_fetched_and_what_the_app_said_is_not_run(look: Look) -> None:
    """Whatever stands in a body."""
    told = look(
        """
told.fetched = performance.getEntriesByType("resource").map((one) => one.name);
told.images = document.images.length;
told.title = document.title;
told.scripts = document.scripts.length;
told.links = [...document.querySelectorAll("[src], link[href]")]
  .map((one) => one.getAttribute("src") ?? one.getAttribute("href"));
"""
    )
    assert told["fetched"] == []
    assert told["images"] == 0
    assert told["title"] == "main:app: what the suite proves"
    # Its own, and this test's.
    assert told["scripts"] == 2
    assert told["links"] == ["data:,"]


def test_it_can_be_read_without_scripts() -> None:
    """Everything stands in the page; the script only filters and moves."""
    text = page(outcome())
    body = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert "test_things.py::test_GET[19]" in body
    assert 'href="#o0-200"' in body
    assert 'id="o0-200"' in body


def test_it_can_be_printed(tmp_path: Path) -> None:
    """To a PDF of some pages."""
    file = tmp_path / "page.html"
    file.write_text(page(outcome()), encoding="utf-8")
    assert CHROMIUM is not None
    target = tmp_path / "page.pdf"
    subprocess.run(
        [
            CHROMIUM,
            *ALONE,
            f"--user-data-dir={tmp_path / 'p'}",
            f"--print-to-pdf={target}",
            file.as_uri(),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert target.read_bytes().startswith(b"%PDF")
    assert target.stat().st_size > 10_000


def _numbers(colour: str) -> list[float]:
    return [int(one) / 255 for one in re.findall(r"\d+", colour)[:3]]


def _brightness(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in _numbers(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(one: str, other: str) -> float:
    brighter, darker = sorted((_brightness(one), _brightness(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)
