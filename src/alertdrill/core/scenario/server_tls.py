"""How an https server is trusted, a target or one of the monitoring, and how it knows who asks."""

import re

from pydantic import Field, StrictBool, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.part import Part, Text

_SERVER_NAME = r"(?=.{1,253}$)([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"


class ServerTls(Part):
    """How an https server is trusted, and how it knows who asks. Without it, the system's roots decide."""

    ca: Text | None = Field(
        default=None,
        description="PEM file of the certificates that are trusted instead of the system's roots: your own authority, "
        "or a self-signed certificate itself",
        examples=["ca.pem"],
    )
    cert: Text | None = Field(
        default=None,
        description="PEM file of the certificate that is shown to the server, its chain behind it (mutual TLS)",
        examples=["client.pem"],
    )
    key: Text | None = Field(
        default=None,
        description="PEM file of the private key of `cert`, without a passphrase; by default it is in the file of cert",
        examples=["client.key"],
    )
    verify: StrictBool = Field(
        default=True,
        description="whether the certificate of the server is checked; false trusts whoever answers, and nobody can "
        "tell then whether it is the server that was meant",
    )
    server_name: Text | None = Field(
        default=None,
        description="name that the server is asked for (SNI) and that its certificate must hold, instead of the host "
        "of `url`",
        examples=["model.example.com"],
    )

    @model_validator(mode="after")
    def _check_together(self) -> "ServerTls":
        if self.key is not None and self.cert is None:
            raise BadValue("a certificate that the key belongs to", "add cert: FILE", "key without cert", ("key",))
        if not self.verify and self.ca is not None:
            fix = "remove verify: false to check the certificate against ca, or remove ca"
            raise BadValue("one of the two, as nothing is checked against ca", fix, "verify: false and ca", ("verify",))
        if self.server_name is not None and not re.fullmatch(_SERVER_NAME, self.server_name):
            fix = "write it as the certificate has it, such as model.example.com"
            raise BadValue("a host name or an address", fix, None, ("server_name",))
        return self
