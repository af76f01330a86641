"""Ed25519 signatures of manifests, by libsodium. What a manifest says is read and judged in `uriai.domain.manifest`."""

from __future__ import annotations

from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import VerifyKey

from uriai.service.ports.clips import SignatureChecker

SIGNATURE_BYTES = 64
KEY_BYTES = 32


class Ed25519SignatureChecker(SignatureChecker):
    """Verifies with PyNaCl."""

    def signed_by(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the signature is that key's over exactly that message; False also for one of another length."""
        if len(signature) != SIGNATURE_BYTES or len(public_key) != KEY_BYTES:
            return False
        try:
            VerifyKey(public_key).verify(message, signature)
        except (BadSignatureError, CryptoError):
            return False
        return True
