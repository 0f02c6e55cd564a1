"""What each protocol is proved with. A test fails for a protocol that is not here."""

from __future__ import annotations

from tests.core.proofs.changes import Change, Proof
from tests.core.proofs.host_files import (
    AI_TXT,
    AIPREF,
    ATPROTO,
    CONTENT_SIGNAL,
    DISALLOW_AI_TRAINING,
    ROBOTS,
    TRUST_TXT,
)
from tests.core.proofs.images import AI_MADE, C2PA, DECLARATIONS, LICENCE, PLUS, RIGHTS_TEXT
from tests.core.proofs.pages import (
    CONTENT_RATING,
    META_ROBOTS,
    PLATFORMS,
    RSL_PROOF,
    TDMREP,
    X_ROBOTS_TAG,
)

__all__ = ["PROOFS", "Change", "Proof"]

#: By the name of the protocol.
PROOFS: dict[str, Proof] = {
    "ai-made": AI_MADE,
    "ai-txt": AI_TXT,
    "aipref": AIPREF,
    "atproto-user-intents": ATPROTO,
    "c2pa": C2PA,
    "content-rating": CONTENT_RATING,
    "content-signal": CONTENT_SIGNAL,
    "declarations": DECLARATIONS,
    "disallow-ai-training": DISALLOW_AI_TRAINING,
    "licence": LICENCE,
    "meta-robots": META_ROBOTS,
    "platform-conventions": PLATFORMS,
    "plus-datamining": PLUS,
    "rights-text": RIGHTS_TEXT,
    "robots": ROBOTS,
    "rsl": RSL_PROOF,
    "tdmrep": TDMREP,
    "trust-txt": TRUST_TXT,
    "x-robots-tag": X_ROBOTS_TAG,
}
