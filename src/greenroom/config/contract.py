"""`[tool.greenroom.contract]`: what is checked of each answer, and how strictly."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from greenroom.facts.outcome import Rule

#: What may become of a problem.
MODES = ("off", "report", "fail")
_KEYS = ("mode", "rules", "secrets", "drop", "budgets", "baseline")
#: A FastAPI app declares its errors by hand or not at all.
_OFF_BY_DEFAULT = frozenset({Rule.UNDOCUMENTED})


@dataclass(frozen=True, slots=True)
class ContractTable:
    """The table, but for its `mode`, which is an option.

    :param rules: the modes of single rules.
    :param secrets: the names of fields that mustn't be told; None takes greenroom's list.
    :param drop: what the project doesn't want of the plan, with the reasons.
    :param budgets: how many statements an operation may send.
    :param baseline: an outcome whose gaps and problems are known.
    """

    rules: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secrets: tuple[str, ...] | None = None
    drop: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    budgets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    baseline: str | None = None

    def mode(self, rule: Rule, general: str) -> str:
        """What becomes of a problem under a rule.

        :param general: the mode of all rules.
        """
        if general == "off":
            return "off"
        return self.rules.get(rule.value, "off" if rule in _OFF_BY_DEFAULT else general)


def parse(table: Mapping[str, object]) -> tuple[ContractTable, list[str]]:
    """The table, and a line for each mistake in it."""
    mistakes: list[str] = []
    names = [rule.value for rule in Rule]
    for key in table:
        if key in _KEYS:
            continue
        if key in names:
            mistakes.append(f"{key}: rules stand in [tool.greenroom.contract.rules]")
        else:
            mistakes.append(f"{key}: there is no such key; {_near(key, _KEYS)}")
    if "mode" in table and table["mode"] not in MODES:
        mistakes.append(f"mode: {table['mode']!r} is none of {', '.join(MODES)}")
    rules = _texts(table, "rules", mistakes)
    for name, mode in rules.items():
        if name not in names:
            mistakes.append(f"rules.{name}: there is no such rule; {_near(name, names)}")
        elif mode not in MODES:
            mistakes.append(f"rules.{name}: {mode!r} is none of {', '.join(MODES)}")
    drop = _texts(table, "drop", mistakes)
    mistakes += [
        f'drop."{name}": say why; the reason is shown in the report'
        for name, why in drop.items()
        if not why.strip()
    ]
    secrets = table.get("secrets")
    if secrets is not None and not _are_texts(secrets):
        mistakes.append("secrets: it takes a list of names")
        secrets = None
    baseline = table.get("baseline")
    if baseline is not None and not isinstance(baseline, str):
        mistakes.append("baseline: it takes the path of an outcome file")
        baseline = None
    parsed = ContractTable(
        rules,
        tuple(secrets) if isinstance(secrets, list) else None,
        drop,
        _budgets(table, mistakes),
        baseline,
    )
    return parsed, mistakes


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"


def _texts(table: Mapping[str, object], key: str, mistakes: list[str]) -> dict[str, str]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        mistakes.append(f"{key}: it takes a table")
        return {}
    wrong = [name for name, value in found.items() if not isinstance(value, str)]
    mistakes += [f'{key}."{name}": it takes a text' for name in wrong]
    return {name: value for name, value in found.items() if name not in wrong}


def _budgets(table: Mapping[str, object], mistakes: list[str]) -> dict[str, int]:
    found = table.get("budgets", {})
    if not isinstance(found, Mapping):
        mistakes.append("budgets: it takes a table")
        return {}
    good = {}
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            mistakes.append(f'budgets."{name}": it takes a number of statements')
        else:
            good[name] = value
    return good


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
