"""What is this machine, by a name or by an address."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from functools import lru_cache

_LOOPBACK = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
_NUMBERS = re.compile(r"[\d.]+\Z|0x[\da-f]+\Z", re.IGNORECASE)

# Like a multicast address, it can be bound to, and what is sent to it leaves.
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(host: str) -> Address | None:
    """The address that a text writes, in whatever way; None if it's a name."""
    host = host.strip("[]").partition("%")[0]
    with contextlib.suppress(ValueError):
        found = ipaddress.ip_address(host)
        return getattr(found, "ipv4_mapped", None) or found
    if _NUMBERS.match(host):
        with contextlib.suppress(OSError):
            return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


def is_own_name(host: str) -> bool:
    """Whether it's what this machine is called."""
    own = socket.gethostname().lower()
    return host.lower() in {own, own.partition(".")[0]}


def is_this_machine(host: str | None) -> bool:
    """Whether a connection to it doesn't leave this machine."""
    name = (host or "").rstrip(".").lower()
    if name in _LOOPBACK or name.endswith(".localhost") or is_own_name(name):
        return True
    address = address_of(name)
    if address is None or address.is_multicast or address == _BROADCAST:
        return False
    return address.is_loopback or address.is_unspecified or _is_an_interfaces(str(address))


@lru_cache(maxsize=256)
def _is_an_interfaces(address: str) -> bool:
    """Only an address of one of this machine's own interfaces can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as one:
        one.bind((address, 0))
        return True
    return False
