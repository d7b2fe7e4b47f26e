"""A value that remembers who chose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One option's value and where it comes from, in words that the run's header can show."""

    value: T
    source: str
