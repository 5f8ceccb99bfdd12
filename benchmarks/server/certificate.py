"""A throw-away certificate authority and the server's certificate, made anew for each run."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: the authority's certificate, the server's chain and its key."""

    authority: Path
    chain: Path
    key: Path


def issue(folder: Path) -> Certificate:
    """Write an authority and a certificate for localhost and 127.0.0.1 into `folder`."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    files = Certificate(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(files.authority)
    server.private_key_pem.write_to_path(files.key)
    for blob in server.cert_chain_pems:
        blob.write_to_path(files.chain, append=True)
    return files
