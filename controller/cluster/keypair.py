"""Generates the key pair of the ssh plugin. This takes up to a second: call it in a thread."""

from controller.plugin_api import KeyPair

_BITS = 2048


def new_keypair() -> KeyPair:
    """A new RSA key in the formats that OpenSSH reads: PKCS#1 PEM and an authorized_keys line."""
    # The library takes 7 MiB, and most clusters have no Job with this plugin.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return KeyPair(private.decode(), public.decode())
