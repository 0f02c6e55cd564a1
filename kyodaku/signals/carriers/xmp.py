"""XMP packets, read by namespace (ISO 16684-1), without entities or DTDs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class XmpProperty:
    """One property. `values` holds its text, its rdf:resource, or the items of its Alt / Bag / Seq."""

    namespace: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class XmpProperties:
    """All properties of one packet, in document order; a name may come more than once."""

    properties: tuple[XmpProperty, ...]

    def values(self, namespace: str, name: str) -> tuple[str, ...]:
        """Every value of `{namespace}name`, in order; empty when absent."""
        return tuple(
            value
            for prop in self.properties
            if prop.namespace == namespace and prop.name == name
            for value in prop.values
        )


def parse_xmp(packet: bytes) -> XmpProperties:
    """Parse one packet. Raises CarrierError when it is malformed, too big or too deep."""
    raise NotImplementedError
