"""Values of a recipe: counts, sizes and durations with units, URLs, host names, names.

Numbers are never made from strings silently: `"20 MB"` is a size, `"20"` is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from kyodaku.errors import UnsafeAddressError
from kyodaku.urls import normalise_url

#: Nothing countable in a recipe is larger: exact in JSON and in every database.
_MOST = 2**53

_SIZES = {
    "B": 1.0,
    "kB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KiB": 2.0**10,
    "MiB": 2.0**20,
    "GiB": 2.0**30,
    "TiB": 2.0**40,
}
_TIMES = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _with_unit(value: object, units: Mapping[str, float], example: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"write it as {example}")
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]+)", value.strip())
        factor = (
            {name.lower(): factor for name, factor in units.items()}.get(match[2].lower()) if match else 0
        )
        if match is None:
            raise ValueError(f"{value!r} has no number and unit; write it as {example}")
        if factor is None:
            raise ValueError(
                f"{match[2]!r} is not one of the units {', '.join(units)}; write it as {example}"
            )
        return float(match[1]) * factor
    if not -_MOST <= value <= _MOST:  # also false for NaN
        raise ValueError(f"{value!r:.40} is out of range; write it as {example}")
    return float(value)


def _size(value: object) -> int:
    return int(_with_unit(value, _SIZES, '"20 MB"'))


def _duration(value: object) -> float:
    return _with_unit(value, _TIMES, '"30 s"')


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is not an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{value!r} carries a login; lawful access only, without credentials")
    try:
        normalise_url(value)
    except UnsafeAddressError as error:
        raise ValueError(str(error)) from None
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", value):
        raise ValueError(f"{value!r} is not a host name in lower case (international ones as xn--...)")
    return value


def _licence(value: str) -> str:
    if not re.fullmatch(r"(pdm|cc0|by(-nc)?(-nd|-sa)?)-[0-9]\.[0-9](-[a-z]{2,3})?", value):
        raise ValueError(f"{value!r} is not a canonical licence id such as by-4.0, by-sa-3.0-de, cc0-1.0")
    return value


def _unit_schema(units: Mapping[str, float], description: str) -> WithJsonSchema:
    pattern = rf"^\d+(\.\d+)? ?({'|'.join(units)})$"
    return WithJsonSchema(
        {
            "description": description,
            "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern}],
        }
    )


Count = Annotated[int, Field(strict=True, gt=0, le=_MOST)]
Natural = Annotated[int, Field(strict=True, ge=0, le=_MOST)]
Bytes = Annotated[
    int,
    BeforeValidator(_size),
    Field(gt=0, le=_MOST),
    _unit_schema(_SIZES, 'bytes, or a size such as "20 MB"'),
]
Seconds = Annotated[
    float,
    BeforeValidator(_duration),
    Field(ge=0, le=_MOST, allow_inf_nan=False),
    _unit_schema(_TIMES, 'seconds, or a duration such as "30 s"'),
]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Host = Annotated[str, AfterValidator(_host)]
LicenceId = Annotated[str, AfterValidator(_licence)]
