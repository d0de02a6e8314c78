"""The OpenAPI document of each service, built without any server: nothing is opened before the first request."""

import importlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.settings import ServiceSettings


def settings_for(service: str, folder: Path) -> ServiceSettings:
    """Settings that lead nowhere, for building an application without running it."""
    kind: type[ServiceSettings] = importlib.import_module(f"services.{service}.bootstrap").SERVICE.settings
    nowhere: dict[str, Any] = {
        "database_url": "postgresql+asyncpg://nobody:nothing@localhost:1/nothing",
        "nats_url": "nats://localhost:1",
        "data_dir": folder / "data",
    }
    for name, field in kind.model_fields.items():
        if field.is_required() and name not in nowhere:
            nowhere[name] = _signing_key(folder) if name == "signing_key_file" else "http://localhost:1"
    return kind(**nowhere)


def _signing_key(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    path = folder / "signing.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def openapi(service: str, folder: Path) -> dict[str, Any]:
    create_app = importlib.import_module(f"services.{service}.main").create_app
    document: dict[str, Any] = create_app(settings_for(service, folder)).openapi()
    return document
