"""Kyodaku (許諾, "permission"): image-caption datasets that can show why each image was allowed."""

__version__: str

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: every child process imports this package."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("kyodaku")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0.0.0"
