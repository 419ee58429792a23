"""Which metrics TikTok refuses at a level: found out once, by halves, so that one of them never costs the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adloom import logs
from adloom.errors import PlatformRejected
from adloom.platforms.model import Level
from adloom.platforms.tiktok import conversions, errors, report

log = logs.get(__name__)


class Refusals:
    """What is known of an app's levels. `ask` puts a question with these metrics and raises when it is refused."""

    def __init__(self) -> None:
        self._refused: dict[tuple[Level, str], frozenset[str]] = {}

    def metrics(self, level: Level, definition: str = conversions.DEFAULT) -> list[str]:
        """What can be asked for, of an account that counts by a definition."""
        return report.metrics_of(level, self.of(level, definition), definition)

    def of(self, level: Level, definition: str = conversions.DEFAULT) -> frozenset[str]:
        """What is refused."""
        return self._refused.get((level, definition), frozenset())

    def learn(
        self,
        level: Level,
        refusal: PlatformRejected,
        ask: Callable[[list[str]], None],
        definition: str = conversions.DEFAULT,
    ) -> None:
        """Find the metrics that are behind a refusal; raises it again when it is not about them."""
        if refusal.platform_code not in errors.REFUSED_FIELDS or (level, definition) in self._refused:
            raise refusal
        all_optional = report.optional(definition)
        base = report.metrics_of(level, frozenset(all_optional), definition)

        def is_refused(some: Sequence[str]) -> bool:
            try:
                ask([*base, *some])
            except PlatformRejected:
                return True
            return False

        found = [] if is_refused(()) else _culprits(all_optional, is_refused)
        if not found:
            raise refusal
        log.warning("tiktok_metrics_refused", level=level, metrics=found, said=refusal.detail)
        self._refused[level, definition] = frozenset(found)


def _culprits(some: Sequence[str], is_refused: Callable[[Sequence[str]], bool]) -> list[str]:
    if not is_refused(some):
        return []
    if len(some) == 1:
        return list(some)
    middle = len(some) // 2
    return _culprits(some[:middle], is_refused) + _culprits(some[middle:], is_refused)
