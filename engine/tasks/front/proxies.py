"""Where a request comes from, if it came through proxies that the operator trusts.

Every proxy adds the address it was called from on the right, and whatever is to the left of that is
what the caller claims. So the addresses are read from the right, and the first that is not a
trusted proxy is the caller's. From anybody else, the headers mean nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

import msgspec

from engine.tasks.front.head import Head, host_name
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import values_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PAIR = re.compile(r'\s*([A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s";,]*)\s*')
_WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?")
_SCHEMES = ("http", "https")


def parse_network(text: str) -> Network:
    """A network such as 10.0.0.0/8, or a single address. Raises ValueError for the user."""
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        hint = "write an address or a network such as 10.0.0.0/8"
        if "host bits" in str(error):
            hint = f"did you mean {ipaddress.ip_network(text.strip(), strict=False)}?"
        raise ValueError(f"{text!r:.60} is not a network; {hint}") from None


class _Hop(msgspec.Struct, frozen=True):
    """What a proxy says about who called it; empty where it says nothing."""

    client: str = ""
    scheme: str = ""
    host: str = ""


class TrustedProxies:
    """Proxies whose headers are believed, by their networks."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)

    def original(self, head: Head) -> Head | Reply:
        """The head as its caller sent it to the first proxy; a refusal if it cannot be known."""
        peer = _peer(head.client)
        if peer is None or not self._trusts(peer):
            return head
        forwarded = values_of(head.headers, "forwarded")
        addresses = _listed(values_of(head.headers, "x-forwarded-for"))
        if forwarded and addresses:
            if [hop.client for hop in _hops(forwarded)] != addresses:
                return _ambiguous()
            forwarded = []
        if forwarded:
            hops = _hops(forwarded)
            return self._seen(head, [hop.client for hop in hops], hops)
        schemes = _listed(values_of(head.headers, "x-forwarded-proto"))
        hosts = _listed(values_of(head.headers, "x-forwarded-host"))
        return self._seen(head, addresses, _joined(len(addresses), schemes, hosts))

    def _seen(self, head: Head, addresses: list[str], hops: list[_Hop]) -> Head:
        client, passed = head.client, 0
        for text in reversed(addresses):
            passed += 1
            parsed = _parsed(text)
            if parsed is None:  # such as `unknown`: nothing to its left can be trusted
                break
            address, port = parsed
            client = f"{address}:{port}"
            if not self._trusts(address):
                break
        hop = hops[max(-max(passed, 1), -len(hops))] if hops else _Hop()
        scheme = hop.scheme.lower() if hop.scheme.lower() in _SCHEMES else head.scheme
        host = (host_name(hop.host) if hop.host else None) or head.host
        return msgspec.structs.replace(head, client=client, scheme=scheme, host=host)

    def _trusts(self, address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def _joined(count: int, schemes: list[str], hosts: list[str]) -> list[_Hop]:
    """What the headers say together; one that has fewer values was written by the last proxies."""
    count = max(count, len(schemes), len(hosts))
    schemes = [schemes[0]] * (count - len(schemes)) + schemes if schemes else [""] * count
    hosts = [hosts[0]] * (count - len(hosts)) + hosts if hosts else [""] * count
    return [_Hop("", scheme, host) for scheme, host in zip(schemes, hosts, strict=True)]


def _listed(values: list[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]


def _hops(values: list[str]) -> list[_Hop]:
    """The elements of the header Forwarded (RFC 7239)."""
    return [_hop(element) for value in values for element in _split(value, ",")]


def _hop(element: str) -> _Hop:
    found: dict[str, str] = {}
    for part in _split(element, ";"):
        if pair := _PAIR.fullmatch(part):
            text = pair[2]
            if text.startswith('"'):
                text = re.sub(r"\\(.)", r"\1", text[1:-1])
            found[pair[1].lower()] = text
    return _Hop(found.get("for", ""), found.get("proto", ""), found.get("host", ""))


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text, without looking into quoted strings."""
    return re.findall(rf'((?:"(?:[^"\\]|\\.)*"|[^"{separator}]|")+)', text)


def _parsed(text: str) -> tuple[Address, str] | None:
    """Address and port of `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]` or `[::1]:5`."""
    found = _WITH_PORT.fullmatch(text)
    address, port = (found[1] or found[2], found[3] or "") if found else (text, "")
    try:
        return ipaddress.ip_address(address), port
    except ValueError:
        return None


def _peer(client: str) -> Address | None:
    """The address in `address:port`, as the system tells it."""
    try:
        return ipaddress.ip_address(client.rpartition(":")[0].partition("%")[0])
    except ValueError:  # a Unix socket has none
        return None


def _ambiguous() -> Reply:
    return error_reply(
        400,
        "it cannot be known who sent the request",
        "the headers Forwarded and X-Forwarded-For disagree",
        "let the proxy set one of them, and remove the other",
    )
