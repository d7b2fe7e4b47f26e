"""The value of every option, in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from greenroom.config.contract import ContractTable
from greenroom.config.options import OPTIONS
from greenroom.facts.isolation import Isolation
from greenroom.facts.outgoing import Outgoing
from greenroom.facts.setting import Setting


@dataclass(frozen=True, slots=True)
class Settings:
    """The value of every option, and who chose it."""

    app: Setting[str | None]
    database: Setting[str]
    isolation: Setting[Isolation]
    schema: Setting[str]
    rebuild: Setting[bool]
    keep: Setting[bool]
    passwords: Setting[str]
    limit: Setting[float]
    contract: Setting[str]
    report: Setting[tuple[str, ...]]
    fail_under: Setting[float]
    outgoing: Setting[Outgoing]
    sleep: Setting[str]
    caller: Setting[str | None]
    checks: Setting[bool]
    seed: Setting[int | None]
    env_file: Setting[str | None]
    directory: Setting[str | None]
    #: The rest of `[tool.greenroom.contract]`.
    details: ContractTable = field(default_factory=ContractTable)
    #: The automatic checks that the project doesn't want, each with the reason.
    check_drops: Mapping[str, str] = field(default_factory=dict)


def settings_from(
    values: dict[str, Setting[Any]], details: ContractTable, check_drops: Mapping[str, str]
) -> Settings:
    """Fill in the default of each option that nobody set."""
    chosen = {
        option.field: values.get(option.field, Setting(option.default, "default"))
        for option in OPTIONS
    }
    return Settings(**chosen, details=details, check_drops=check_drops)
