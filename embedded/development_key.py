"""Make a key pair for compose's API in development, and print a token that it signs; do nothing in any other case.

The one-shot service `development-key` of `docker-compose.yml` runs this in the service's image. The pair stays in its
folder over restarts, beside the public key that the API reads.
"""

import os
from datetime import timedelta
from pathlib import Path

from api.http.auth import DeploymentPermission, Permission
from embedded.demo_ids import TENANT_ID
from embedded.signing_key import SigningKey, ensure_signing_key, write_private_file
from settings import DEVELOPMENT_KEY_FILE, trusts_development_key

_LIFETIME = timedelta(days=1)


def main() -> None:
    """Make the key pair and print `export` lines, if nothing else verifies tokens and APP_ENV says development."""
    if not trusts_development_key(*map(os.environ.get, ("APP_ENV", "AUTH_JWKS_URL", "AUTH_PUBLIC_KEY"))):
        return
    folder = Path(os.environ["DEVELOPMENT_KEY_FOLDER"])
    pair = ensure_signing_key(folder)
    key = SigningKey(pair.private, os.environ["AUTH_ISSUER"], os.environ["AUTH_AUDIENCE"])
    write_private_file(folder / DEVELOPMENT_KEY_FILE, key.public_pem().encode())
    token = key.token("development", {TENANT_ID: [*Permission]}, _LIFETIME, deployment=[*DeploymentPermission])
    print("For development only. This token is valid for a day; the next `docker compose up` prints another one:")
    print(f"export API_URL={os.environ['API_URL']}\nexport TENANT_ID={TENANT_ID}\nexport TOKEN={token}")


if __name__ == "__main__":
    main()
