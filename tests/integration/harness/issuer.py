"""An identity provider: keys of its own and the JWTs that it signs, by an implementation that is not ours (PyJWT)."""
import base64
import hashlib
import hmac
import json
import secrets
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
              "EdDSA"]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """One key of one algorithm."""

    _rsa = None  # one for all: making them takes long, and what the tests tell apart is not the key

    def __init__(self, algorithm="HS256", kid="k1"):
        self.algorithm, self.kid = algorithm, kid
        if algorithm.startswith("HS"):
            self.key = secrets.token_hex(32).encode()
        elif algorithm in CURVES:
            self.key = ec.generate_private_key(CURVES[algorithm]())
        elif algorithm == "EdDSA":
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            Issuer._rsa = Issuer._rsa or rsa.generate_private_key(65537, 2048)
            self.key = Issuer._rsa

    def public_pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)

    def file(self):
        """What the bridge's key file holds."""
        return self.key if self.algorithm.startswith("HS") else self.public_pem()

    def write_to(self, path):
        path.write_bytes(self.file())
        path.chmod(0o600)
        return {"kid": self.kid, "algorithm": self.algorithm, "file": str(path)}

    def jwk(self):
        """The key in a JWKS file, written by PyJWT where it can."""
        own = {"kid": self.kid, "alg": self.algorithm, "use": "sig"}
        if self.algorithm.startswith("HS"):
            return {"kty": "oct", "k": b64(self.key), **own}
        if self.algorithm in CURVES:
            numbers = self.key.public_key().public_numbers()
            size = (numbers.curve.key_size + 7) // 8
            return {"kty": "EC", "crv": f"P-{numbers.curve.key_size}", "x": b64(numbers.x.to_bytes(size, "big")),
                    "y": b64(numbers.y.to_bytes(size, "big")), **own}
        if self.algorithm == "EdDSA":
            raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), **own}
        return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())), "key_ops": ["verify"], **own}

    def token(self, headers=None, **claims):
        """A JWT of alice that may read everything for an hour; a claim of None is left out."""
        now = int(time.time())
        whole = {"sub": "alice", "scope": "read", "iat": now, "exp": now + 3600, **claims}
        return jwt.encode({name: value for name, value in whole.items() if value is not None}, self.key,
                          algorithm=self.algorithm, headers={"kid": self.kid, **(headers or {})})


def jwks(*issuers):
    return json.dumps({"keys": [issuer.jwk() for issuer in issuers]})


def by_hand(header, claims, secret=None):
    """A token that no library would make: JSON as it is given; without a secret, without a signature."""
    text = b64(header.encode()) + "." + b64(claims.encode())
    return text + "." + (b64(hmac.new(secret, text.encode(), hashlib.sha256).digest()) if secret is not None else "")
