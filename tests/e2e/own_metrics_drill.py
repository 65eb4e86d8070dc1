"""A drill of a FastAPI app by the metrics that it exports itself."""

import json
from pathlib import Path

from tests.e2e.drills import Drill, run
from tests.e2e.model_servers.own_metrics import ON_FASTAPI, nulls_and_delays
from tests.e2e.model_servers.servers import FASTAPI, serving
from tests.e2e.model_servers.wines import statuses, write


def own_metrics(directory: Path) -> Drill:
    """What the app answers to each fault, what it counts of that, and a drill."""
    with serving(FASTAPI, directory) as url:
        before = ON_FASTAPI.counts(url)
        answered = statuses(url, write(directory, ON_FASTAPI.protocol, ON_FASTAPI.path))
        counted = ON_FASTAPI.counts(url) - before
        (directory / "answered.json").write_text(json.dumps([answered, counted]))
        return run(directory, str(ON_FASTAPI.write(directory, url, nulls_and_delays))).ended()
