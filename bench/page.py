"""Write a run's machine, tables and plots into docs/benchmarks.md, between two marks; the prose stays."""

from datetime import UTC, datetime
from pathlib import Path

from bench.create import CLIENTS, DBOS, FLOOR, NAIVE, OURS, PROCRASTINATE
from bench.results import Results, machine_facts, number

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADING = "### "
BAR, GAP, LEFT, WIDTH = 22, 8, 150, 640


def write(results: Results) -> None:
    """Replace the last run by this one. A run without creations only replaces or adds its own tables."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    last, _, after = rest.partition(END)
    plots = _plots(results)
    parts = [_about(), *plots, *results.tables()] if plots else _merge(last.strip(), results.tables())
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}")
    print(f"updated {PAGE.relative_to(DOCS.parent)}")


def _merge(last: str, tables: list[str]) -> list[str]:
    """Put tables into those of the last run, each with its own day and load."""
    head, *sections = last.split(f"\n\n{HEADING}")
    merged = {section.partition("\n")[0]: HEADING + section for section in sections}
    for table in tables:
        heading, _, rows = table.partition("\n\n")
        merged[heading.removeprefix(HEADING)] = f"{heading}\n\nMeasured alone{_when()}.\n\n{rows}"
    return [head, *merged.values()]


def _when() -> str:
    return f" {datetime.now(UTC):%Y-%m-%d}; load average at the end {machine_facts()['load']}"


def _about() -> str:
    facts = machine_facts()
    versions = ", ".join(f"{name} {one}" for name, one in facts["versions"].items())
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {facts['processors']} processors ({facts['processor']}),"
        f" {facts['memory_gb']} GB, {facts['system']}, Python {facts['python']}; load average at the end"
        f" {facts['load']}. {versions}."
    )


def _plots(results: Results) -> list[str]:
    """Write the plots of the two main figures of creation, if this run has them; returns their Markdown."""
    one, many = (f"create, {clients} at once" for clients in CLIENTS)
    if (many, OURS, "rate") not in results.rows:
        return []
    plots = (
        ("create-rate.svg", f"Creations a second, {CLIENTS[1]} at once", many, "rate", "/s"),
        ("create-p50.svg", "Median of a creation, one at a time", one, "p50", "ms"),
    )
    for file, title, benchmark, metric, unit in plots:
        values = {name: results.median(benchmark, name, metric) for name in (FLOOR, OURS, DBOS, PROCRASTINATE, NAIVE)}
        (DOCS / file).write_text(bars(title, values, unit))
    return [f"![{title}]({file})" for file, title, *_ in plots]


def bars(title: str, values: dict[str, float], unit: str) -> str:
    """Return a plot of horizontal bars as SVG."""
    scale = (WIDTH - LEFT - 90) / max(values.values())
    height = 40 + len(values) * (BAR + GAP)
    size = f'width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="22" font-weight="bold">{title}</text>',
    ]
    for place, (name, value) in enumerate(values.items()):
        y, long = 36 + place * (BAR + GAP), value * scale
        colour = "#1f6feb" if name == OURS else "#9aa4b2"
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{name}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{long:.0f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LEFT + long + 6:.0f}" y="{y + 16}">{number(value)} {unit}</text>',
        ]
    return "\n".join([*lines, "</svg>\n"])
