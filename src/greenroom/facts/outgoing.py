"""Which connections to other machines a test may open."""

from __future__ import annotations

from dataclasses import dataclass

BLOCK = "block"
ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """None, some, or all.

    :param everything: whether all are allowed.
    :param hosts: the names or addresses of the hosts that are.
    """

    everything: bool = False
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Outgoing:
        """Read `block`, `allow`, or hosts with commas.

        :raises ValueError: if a part is no host's name or address.
        """
        if text == ALLOW:
            return cls(everything=True)
        if text == BLOCK:
            return cls()
        hosts = [part.strip().lower() for part in text.split(",")]
        for host in hosts:
            if host.count(":") > 1 and not any(letter in host for letter in "/ @?#"):
                continue  # An address of IPv6.
            if not host or any(letter in host for letter in "/ @?#") or "://" in host:
                raise ValueError(f"{host!r} is no host")
        return cls(hosts=frozenset(hosts))

    def __str__(self) -> str:
        if self.everything:
            return ALLOW
        return ", ".join(sorted(self.hosts)) or BLOCK
