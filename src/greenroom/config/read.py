"""Read every option from where it may be set, and report every mistake at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from greenroom.config.contract import MODES, ContractTable, parse
from greenroom.config.options import OPTIONS, Option, RejectedError
from greenroom.config.settings import Settings, settings_from
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting

TABLE = "[tool.greenroom]"


def read(
    table: Mapping[str, object], environ: Mapping[str, str], flags: Mapping[str, object]
) -> Settings:
    """Merge the three sources: the command line wins over the environment, that over the table.

    :param table: `[tool.greenroom]` of the project's pyproject.toml.
    :param environ: the process environment.
    :param flags: the command line's values by `Option.field`; a missing or None value says nothing.
    :raises GreenroomError: with a line for every unknown key and every wrong value.
    """
    mistakes: list[str] = []
    details, table = ContractTable(), dict(table)
    if isinstance(contract := table.get("contract"), Mapping):
        details, wrong = parse(contract)
        mistakes += [f"{TABLE[:-1]}.contract] {one}" for one in wrong]
        del table["contract"]
        if "mode" in contract and contract["mode"] in MODES:
            table["contract"] = contract["mode"]
    drops: dict[str, str] = {}
    if isinstance(checks := table.get("checks"), Mapping):
        drops, wrong = _check_table(checks)
        mistakes += [f"{TABLE[:-1]}.checks] {one}" for one in wrong]
        table["checks"] = True
    values: dict[str, Setting[Any]] = {}
    for option in OPTIONS:
        for raw, source in _said(option, table, environ, flags):
            try:
                values[option.field] = Setting(option.parse(raw), source)
            except RejectedError as rejected:
                mistakes.append(f"{_place(option, source)}: {rejected}; it takes {option.accepts}")
    mistakes += [_unknown(key) for key in table if key not in {option.key for option in OPTIONS}]
    if mistakes:
        count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise GreenroomError(
            Code.CONFIGURATION,
            f"the configuration of greenroom has {count}.",
            "\n".join(f"  {mistake}" for mistake in mistakes)
            + "\nCorrect each line; the options are listed by pytest --help under greenroom.",
        )
    return settings_from(values, details, drops)


def _check_table(table: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """What `[tool.greenroom.checks]` says: the checks that aren't wanted; and what is wrong in it."""
    wrong = [f"{key}: there is no such key; it takes drop" for key in table if key != "drop"]
    drops = table.get("drop", {})
    if not isinstance(drops, Mapping):
        return {}, [*wrong, "drop: it takes a table of checks, each with the reason"]
    wrong += [
        f'drop "{name}": it takes the reason, a text'
        for name, reason in drops.items()
        if not isinstance(reason, str) or not reason.strip()
    ]
    return {str(name): str(reason) for name, reason in drops.items()}, wrong


def _said(
    option: Option,
    table: Mapping[str, object],
    environ: Mapping[str, str],
    flags: Mapping[str, object],
) -> list[tuple[object, str]]:
    """What was said of an option, weakest first."""
    said: list[tuple[object, str]] = []
    if option.key in table:
        said.append((table[option.key], TABLE))
    if environ.get(option.variable):
        said.append((environ[option.variable], option.variable))
    if flags.get(option.field) is not None:
        said.append((flags[option.field], option.flag))
    return said


def _place(option: Option, source: str) -> str:
    return f"{TABLE} {option.key}" if source == TABLE else source


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, [option.key for option in OPTIONS], n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else "no key is near it"
    return f"{TABLE} {key}: there is no such key; {hint}"
