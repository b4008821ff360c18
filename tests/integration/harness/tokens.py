"""Token files, written the way `trestle token` writes them."""
import hashlib
import secrets

import yaml


def tokens(*entries):
    """(text of a token file, [token of each entry]); an entry has name and scopes, and may say when it expires."""
    made = [secrets.token_urlsafe(32) for _ in entries]
    records = [{"created": "2026-01-01T00:00:00Z", **entry, "sha256": hashlib.sha256(token.encode()).hexdigest()}
               for entry, token in zip(entries, made)]
    return yaml.safe_dump({"tokens": records}), made
