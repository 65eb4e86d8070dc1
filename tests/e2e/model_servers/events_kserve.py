"""Run by KServe's own Python: the wines as events of a payload logger, a line each. Arguments: file, rate."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudevents.http import CloudEvent, to_structured
from sklearn.datasets import load_wine

BEGAN = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def main(file: Path, rate_per_s: float) -> None:
    wines, lines = load_wine(as_frame=True).data, []
    for number, row in enumerate(json.loads(wines.to_json(orient="records"))):
        at = (BEGAN + timedelta(seconds=number / rate_per_s)).isoformat()
        for kind, data in (("request", {"instances": [row]}), ("response", {"predictions": [0]})):
            about = {
                "type": f"org.kubeflow.serving.inference.{kind}",
                "source": "wine",
                "id": f"u-{number}",
                "time": at,
            }
            lines.append(to_structured(CloudEvent(about, data))[1].decode())
    file.write_text("\n".join(lines))


main(Path(sys.argv[1]), float(sys.argv[2]))
