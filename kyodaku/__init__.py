"""Kyodaku (許諾, "permission"): image-caption datasets that can show why each image was allowed."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("kyodaku")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
