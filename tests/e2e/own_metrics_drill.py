"""A drill of a FastAPI app by the metrics that it exports itself, behind a gateway that wants a key."""

import json
from pathlib import Path

from tests.e2e.drills import Drill, run
from tests.e2e.model_servers.own_metrics import ON_FASTAPI, nulls_and_delays
from tests.e2e.model_servers.servers import FASTAPI, serving
from tests.e2e.model_servers.wines import statuses, write
from tests.integration.gate import demands, gate

KEY = "k3y-that-nobody-else-reads"


def own_metrics(directory: Path) -> Drill:
    """What the app answers to each fault, what it counts of that, and a drill through the gateway."""
    with serving(FASTAPI, directory) as url, gate(url, demands("X-Api-Key", KEY), "/models/wine") as door:
        before = ON_FASTAPI.counts(url)
        answered = statuses(url, write(directory, ON_FASTAPI.protocol, ON_FASTAPI.path))
        counted = ON_FASTAPI.counts(url) - before
        (directory / "answered.json").write_text(json.dumps([answered, counted]))
        (directory / "key").write_text(f"{KEY}\n")
        path = ON_FASTAPI.write(directory, url, nulls_and_delays)
        behind = f"target: {{url: {door.url}, headers: {{X-Api-Key: {{file: key}}}},"
        path.write_text(path.read_text().replace(f"target: {{url: {url},", behind))
        return run(directory, str(path)).ended()
