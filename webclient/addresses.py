"""Which network addresses this site may connect to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Ranges that ipaddress.is_global lets through or answers differently from one
# Python release to the next.
FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; one cloud's metadata is 192.0.0.192
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",  # local-use NAT64
        "100::/64",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",  # site-local, deprecated and still routed by some
        "ff00::/8",
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")
IPV4_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
LOOPBACK_4 = ipaddress.IPv4Network("127.0.0.0/8")
LOOPBACK_6 = ipaddress.IPv6Network("::1/128")


def allowed_networks(networks: Iterable[Network]) -> tuple[Network, ...]:
    """The allow-list as it is applied: who allows this machine by IPv4 allows it by IPv6 too."""
    given = tuple(networks)
    # "localhost" commonly has both addresses, and every address of a name is checked.
    return (*given, LOOPBACK_6) if LOOPBACK_4 in given else given


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Whether the address, as such or mapped into IPv6, lies in one of the networks."""
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in network for network in networks)


def is_forbidden(address: Address, allow: Iterable[Network] = ()) -> bool:
    """Whether a connection to the address is refused. What is not plainly public is forbidden."""
    if is_within(address, allow):
        return False
    return any(
        not target.is_global or any(target in network for network in FORBIDDEN)
        for target in leads_to(address)
    )


def leads_to(address: Address) -> list[Address]:
    """The address, or the IPv4 addresses a mapped, translated or tunnelled one carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    carries = address in NAT64 or address in IPV4_TRANSLATED
    if carries or (address in IPV4_COMPATIBLE and int(address) > 1):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]
