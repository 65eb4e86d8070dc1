"""A controller that hands a plan to an app and keeps its lease up until it is killed: URL, token, plan file, lease."""

import asyncio
import sys
from pathlib import Path

from alertdrill.adapters.inside_app import InsideApp
from alertdrill.adapters.inside_control import InsideControl
from alertdrill.core.plan import Plan


async def main(url: str, token: str, plan_file: str, lease: str) -> None:
    """Run until killed."""
    plan = Plan.model_validate_json(Path(plan_file).read_bytes())  # noqa: ASYNC240
    inside = InsideApp(InsideControl(url, token, plan.run_id, {}), plan, lambda _: None)
    await inside.open()
    print("open", flush=True)
    while True:
        inside.send({"do": "lease", "s": float(lease)})
        await asyncio.sleep(float(lease) / 6)


asyncio.run(main(*sys.argv[1:]))
