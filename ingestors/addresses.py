"""Which network addresses a source may be fetched from."""

from __future__ import annotations

import ipaddress
import socket

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def address_problem(address: str, *, allow_local: bool) -> str | None:
    """Why a numeric address must not be dialled, in words; None if it may.

    Args:
        address: As the resolver gives it, `10.0.0.1`, `::1`, `fe80::1%eth0`.
        allow_local: Whether loopback and private networks are meant to be reached. Link-local
            (cloud metadata services live there), multicast and reserved addresses are never.
    """
    ip = _embedded(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_loopback or (ip.is_private and not (ip.is_link_local or ip.is_reserved or ip.is_unspecified)):
        return None if allow_local else "a private address"
    if ip.is_link_local:
        return "a link-local address"
    if ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return "no address of a single host"
    if not ip.is_global:  # shared address space of carriers and overlay networks
        return None if allow_local else "a private address"
    return None


def spelled_address(host: str) -> str | None:
    """The address that a host name spells out, in any of the ways that resolvers understand; None for others.

    `127.0.0.1`, `[::1]`, `2130706433`, `0x7f.1`, `localhost`.
    """
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _embedded(ip: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address leads to, if it is a wrapping of one.

    `ipaddress` calls NAT64 and 6to4 addresses global, whatever they wrap.
    """
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip.sixtofour is not None:
            return ip.sixtofour
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip
