"""What other bytes than the stored ones come to when an image is asked for again."""

from __future__ import annotations

import pytest

from kyodaku.decision import Policy
from kyodaku.gate import GateResult, GateVerdict
from kyodaku.recheck.findings import of_other_bytes

POLICY = Policy("public-domain", frozenset({"cc0"}), frozenset(), frozenset())


@pytest.mark.parametrize(
    ("verdict", "reason", "expected"),
    [
        (GateVerdict.PROCEED, "", (GateVerdict.HOLD, "changed_since")),
        (GateVerdict.REFUSE, "no_licence_evidence", (GateVerdict.HOLD, "changed_since")),
        (GateVerdict.REFUSE, "no_grant", (GateVerdict.HOLD, "changed_since")),
        (GateVerdict.REFUSE, "plus_data_mining", (GateVerdict.REFUSE, "plus_data_mining")),
        (GateVerdict.HOLD, "metadata_unreadable", (GateVerdict.HOLD, "metadata_unreadable")),
        (GateVerdict.FAIL, "not_an_image", (GateVerdict.FAIL, "not_an_image")),
    ],
)
def test_nothing_that_other_bytes_leave_unsaid_lets_ours_in(
    verdict: GateVerdict, reason: str, expected: tuple[GateVerdict, str]
) -> None:
    """A lacking ground counts as one of a copy's: it must not stand in place of the hold."""
    result = of_other_bytes(GateResult("g5", verdict, reason), POLICY)
    assert (result.gate, result.verdict, result.reason) == ("g5", *expected)
