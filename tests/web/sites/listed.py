"""A site that says nothing itself: its pictures stand on the opt-out file beside the demo recipe."""

from __future__ import annotations

from kyodaku.reasons import RefuseReason
from tests.web.model import RELEASED, Expected, Figure, Page, Site, ends
from tests.web.pictures import painted

LISTED = ends(RefuseReason.REGISTRY_OPT_OUT)


def sites() -> list[Site]:
    """Every site of this file."""
    return [listed(), withdrawn()]


def listed() -> Site:
    """One picture is named there by its address, one by what lies above it, one by its domain."""

    def work(path: str, name: str, alt: str, expect: Expected) -> Figure:
        return Figure(path, alt, painted(f"listed/{name}"), expect=expect)

    return Site(
        "listed.example",
        "pictures on an opt-out file, which the recipe names",
        pages=(
            Page(
                "/",
                "On a list, or not",
                (
                    work("/art/free.jpg", "free", "A drawing that no list names", RELEASED),
                    work("/art/mine.jpg", "mine", "A drawing whose address is listed", LISTED),
                    work("/family/1.jpg", "family", "A drawing in a folder that is listed", LISTED),
                    Figure(
                        "http://withdrawn.example/1.jpg",
                        "A drawing on a host that is listed",
                        expect=LISTED,
                    ),
                ),
            ),
        ),
    )


def withdrawn() -> Site:
    """A host that the file names as a whole; its picture would be there for whoever asks."""
    picture = Figure("/1.jpg", "A drawing", painted("withdrawn/1"), expect=None)
    return Site(
        "withdrawn.example",
        "a host whose owner had its domain put on the opt-out file",
        pages=(Page("/", "Withdrawn", (picture,)),),
        seed=False,
    )
