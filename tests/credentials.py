"""Files with Content Credentials, signed with a certificate that is made when it is needed and never kept."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from c2pa import Builder, C2paSignerInfo, C2paSigningAlg, Signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "avif": "image/avif",
}
_CREATED = {
    "label": "c2pa.actions",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation",
            }
        ]
    },
}


def plain(kind: str, colour: str = "red", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture without any metadata."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind.upper())
    return out.getvalue()


def mining(label: str = "cawg.training-mining", prefix: str = "cawg.", **uses: str) -> dict[str, Any]:
    """A training-and-data-mining assertion: `mining(ai_training="notAllowed")`."""
    return {"label": label, "data": {"entries": {prefix + key: {"use": use} for key, use in uses.items()}}}


class Signatory:
    """Signs files (ES256) under a CA of its own, which nobody trusts."""

    def __init__(self) -> None:
        authority, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        chain = (_certificate("leaf", leaf, authority), _certificate("CA", authority, authority))
        self._chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
        self._key = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(
        self,
        body: bytes,
        kind: str,
        *assertions: dict[str, Any],
        ingredient: bytes = b"",
        remote: str = "",
        embed: bool = True,
    ) -> bytes:
        """`body` with a manifest. `ingredient` is a file of the same kind that went into it; `remote` where
        the manifest also stands, or only, without `embed`."""
        builder = Builder.from_json(
            {
                "claim_generator_info": [{"name": "kyodaku tests", "version": "1"}],
                "format": MEDIA_TYPES[kind],
                "title": "test",
                "assertions": [_CREATED, *assertions],
            }
        )
        with builder:
            if ingredient:
                said = {"title": "part", "relationship": "componentOf"}
                builder.add_ingredient(said, MEDIA_TYPES[kind], io.BytesIO(ingredient))
            if remote:
                builder.set_remote_url(remote)
            if not embed:
                builder.set_no_embed()
            out = io.BytesIO()
            with Signer.from_info(
                C2paSignerInfo(C2paSigningAlg.ES256, self._chain, self._key, None)
            ) as signer:
                builder.sign(signer, MEDIA_TYPES[kind], io.BytesIO(body), out)
        return out.getvalue()


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    authority = key is issuer
    now = datetime.now(UTC)
    usage = {
        "digital_signature": not authority,
        "key_cert_sign": authority,
        "crl_sign": authority,
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("CA"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
    )
    if not authority:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=False)
    return builder.sign(issuer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kyodaku tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
