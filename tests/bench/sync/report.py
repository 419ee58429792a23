"""Medians of the rounds as a table, and what they say about which bounds which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from tests.bench import foreign, page
from tests.bench.sync.measure import Spent

PER_ROWS = 100_000
# A slow peer reads fewer days than the others.
FOREIGN_DAYS = 20
# Less than this of the machine for other programs disturbs nobody.
QUIET = 0.05
_HEAD = ("", "rows/s", "of the pipeline", "CPU s", "Postgres CPU s", "peak MB")

# In the order of the table; the label is what people read.
CONTESTANTS = {
    "httpx": "httpx and orjson fetch alone",
    "sdk_calls": "SDK fetch alone, `api.call` pages",
    "sdk_cursor": "SDK fetch alone, cursor of objects",
    "copy": "COPY alone, into a bare table",
    "upsert": "COPY and upsert alone, bare table, cold",
    "upsert_changed": "COPY and upsert alone, bare table, changed",
    "upsert_view": "COPY and upsert alone, barrier view, cold",
    "upsert_view_changed": "COPY and upsert alone, barrier view, changed",
    "pipeline": "bare pipeline, cold",
    "pipeline_changed": "bare pipeline, every row changed",
    "ingestr": f"{foreign.PACKAGE.replace('==', ' ')}, cold",
    "ingestr_changed": f"{foreign.PACKAGE.replace('==', ' ')}, every row changed",
    "sync": "**sync-meta, cold**",
    "sync_unchanged": "**sync-meta, unchanged**",
    "sync_changed": "**sync-meta, every row changed**",
    "sync_restated": "**sync-meta, every row changed a day later**",
}
# What a contestant is compared with.
_LIMIT = {"sync_changed": "pipeline_changed", "sync_restated": "pipeline_changed"}


@dataclass
class Results:
    """What every contestant took in every round, and the share of the machine that other programs took meanwhile."""

    rounds: dict[str, list[Spent]] = field(default_factory=dict)
    others: float = 0.0

    def add(self, contestant: str, spent: Spent) -> None:
        self.rounds.setdefault(contestant, []).append(spent)

    def rows_per_s(self, contestant: str) -> float:
        return median(spent.rows_per_s for spent in self.rounds[contestant])

    def cpu_s(self, contestant: str) -> float:
        """Of its own, for 100,000 rows."""
        return median(spent.cpu_s * PER_ROWS / spent.rows for spent in self.rounds[contestant])

    def postgres_cpu_s(self, contestant: str) -> float:
        return median(spent.postgres_cpu_s * PER_ROWS / spent.rows for spent in self.rounds[contestant])

    def peak_mb(self, contestant: str) -> float:
        return median(spent.peak_mb for spent in self.rounds[contestant])

    def ratio(self, contestant: str, limit: str | None = None) -> float:
        """Rows per second against the bare pipeline's, the median of the rounds' own ratios."""
        limit = limit or _LIMIT.get(contestant, "pipeline_changed" if contestant.endswith("changed") else "pipeline")
        pairs = zip(self.rounds[contestant], self.rounds[limit], strict=True)
        return median(mine.rows_per_s / theirs.rows_per_s for mine, theirs in pairs)


def table(results: Results, contestants: Mapping[str, str] = CONTESTANTS) -> str:
    """A Markdown table, aligned so that it reads in a terminal too."""
    rows = [list(_HEAD)]
    for contestant, label in contestants.items():
        if contestant in results.rounds:
            peak = results.peak_mb(contestant)
            rows.append(
                [
                    label,
                    f"{results.rows_per_s(contestant):,.0f}",
                    f"{results.ratio(contestant):.0%}",
                    f"{results.cpu_s(contestant):.2f}",
                    f"{results.postgres_cpu_s(contestant):.2f}",
                    f"{peak:.0f}" if peak else "",
                ]
            )
    return page.table(rows)


def bounds(results: Results) -> str:
    """Which bounds which, in sentences."""
    said = [_of_the_peers(results), _of_the_view(results), _of_the_sync(results)]
    if results.others > QUIET:
        said.append(
            f"Other programs took {results.others:.0%} of the processors' time meanwhile: rows/s are lower than they "
            f"would be, and the processor times tell more than the ratios."
        )
    return "\n\n".join(said)


def _of_the_peers(results: Results) -> str:
    fetch, load = results.rows_per_s("httpx"), results.rows_per_s("upsert")
    slower, faster = ("fetch", "load") if fetch < load else ("load", "fetch")
    why = {"fetch": "parsing JSON in Python", "load": "Postgres"}
    both, cursor = results.rows_per_s("pipeline"), results.rows_per_s("sdk_cursor")
    return (
        f"Alone, the fetch does {fetch:,.0f} rows/s and the load {load:,.0f}: the {slower} ({why[slower]}) bounds the "
        f"bare pipeline, the {faster} hides behind it, and together they do {both:,.0f} rows/s. The SDK's own way of "
        f"reading, a cursor of objects, does {cursor:,.0f} rows/s before anything is stored."
    )


def _of_the_view(results: Results) -> str:
    cold, changed = (results.ratio(f"upsert_view{case}", f"upsert{case}") for case in ("", "_changed"))
    return f"Through the barrier view the load does {cold:.0%} of the bare table's rows/s cold, {changed:.0%} changed."


def _of_the_sync(results: Results) -> str:
    own, postgres = results.cpu_s("sync"), results.postgres_cpu_s("sync")
    cold, changed, restated = map(results.ratio, ("sync", "sync_changed", "sync_restated"))
    return (
        f"On 100,000 rows sync-meta spends {own:.2f} s in Python and, at the same time, {postgres:.2f} s in Postgres: "
        f"{'Postgres' if postgres > own else 'Python'} bounds it. It reaches {cold:.0%} of the bare pipeline cold, "
        f"{changed:.0%} when every row changed, and {restated:.0%} when each of them leaves its former version behind. "
        f"Where nothing changed it writes nothing, at {results.rows_per_s('sync_unchanged'):,.0f} rows/s."
    )
