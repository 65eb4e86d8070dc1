"""What an address alone says of its endpoint: the paths of model servers are their own."""

from alertdrill.core.joining.endpoint import Endpoint
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2

SOURCE = "the address alone"


def endpoint_at(path: str) -> Endpoint | None:
    """The endpoint of a model server by its path; None where the path could be anybody's."""
    protocol: Protocol
    if path.endswith(":predict"):
        protocol = Instances(rows="values")
        note = "rows are written as lists, {instances: [[…]]}; --try tells whether it takes them"
    elif path.rstrip("/").endswith("/invocations"):
        protocol, note = Mlflow(), "a data frame is sent (dataframe_split); --try tells whether it takes it"
    elif "/v2/models/" in path and path.rstrip("/").endswith("/infer"):
        protocol, note = OipV2(tensors="one"), "one tensor for all features is assumed; --try tells"
    else:
        return None
    return Endpoint(SOURCE, path, protocol, notes=(note,))
