"""`alertdrill init`: a model that runs, joined: its target, schema, sample and rules, and a first drill."""

import re
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.model_server import ModelServer
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.alerting.rule_file import rule_file
from alertdrill.compose.confirming import confirmed
from alertdrill.compose.discovery import Discovery
from alertdrill.compose.linting import lint_drill
from alertdrill.compose.options import Options
from alertdrill.compose.wish import Ready, Wish, ready
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.joining import starter
from alertdrill.core.joining.endpoint import Endpoint
from alertdrill.core.joining.joined import Joined, joined
from alertdrill.core.joining.proposals import proposals
from alertdrill.core.joining.skeleton import skeleton_text
from alertdrill.core.scenario.connection import names_secret
from alertdrill.core.scope import RuleBook

RATE_PER_S = 50
USUAL_SCRAPE_S = 60.0
_MODEL = re.compile(r"/models/([^/:]+)")


@dataclass(frozen=True)
class Written:
    """What was found and written.

    Attributes:
        found: the endpoint, in words.
        notes: what was left out or taken for granted.
        files: that were written.
        mistakes: of the drill that was written; empty if it can be run.
    """

    found: str
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    mistakes: tuple[Mistake, ...] = ()


def join_model(wish: Wish) -> Written:
    """Find out how a model is reached, and write the files of a first drill.

    Raises:
        BadInput: something of it is not known, or contradicts something else; nothing was written.
        Unreachable: nobody answers; nothing was written.
    """
    told = ready(wish)
    found, endpoint, notes = run_until_signalled(_asked(told))
    texts = _texts(told, found, endpoint)
    if wish.prometheus is not None:
        own, left = run_until_signalled(_own_rules(wish.prometheus, told, found))
        texts, notes = texts | own, [*notes, *left]
    files = _write(wish, texts)
    drills = [name for name in (starter.DRILL, starter.OWN_RULES) if name in texts]
    mistakes = [one for name in drills for one in lint_drill(str(wish.out / name), Options()).mistakes]
    watched = sum(feature.watched for feature in found.schema.features)
    said = (
        f"{endpoint.source}: POST {told.access.url}{found.schema.path}, {found.schema.protocol.kind}, "
        f"{len(found.schema.features)} features ({watched} watched)"
    )
    return Written(said, tuple(notes), files, tuple(mistakes))


async def _asked(told: Ready) -> tuple[Joined, Endpoint, list[str]]:
    """The model, its endpoint, and what is to be said of both."""
    wish = told.wish
    async with ModelServer(told.access) as server:
        endpoint = await Discovery(server, told.path).endpoint(wish.mlmodel, told.protocol)
        sent = {name.lower() for name in (*told.reached.headers, *told.reached.secret_headers)}
        lacking = [name for name in endpoint.headers if name.lower() not in sent]
        if lacking:
            fix = f"give --header {lacking[0]}=VALUE"
            raise BadInput([Mistake(endpoint.source, f"no header {lacking[0]}", "one, as requests must have it", fix)])
        found = joined(endpoint, told.reference)
        notes = list(found.notes)
        if wish.confirm:
            asked = await confirmed(server, found.schema, found.sample_csv(), told.protocol is not None)
            found, notes = Joined(asked.schema, found.columns, found.labels, ()), [*notes, *asked.notes]
        elif not endpoint.answers_known:
            notes.append("where class and score stand in an answer is not documented: --try asks for one prediction")
        if server.limited:
            notes.append(f"it asked to wait {server.limited} times (429): see that load.rate stays below its limit")
    for name, variable in told.reached.secret_headers.items():
        notes.append(f"{name}: {starter.TARGET} names the variable {variable}, which must be set for a drill")
    for name in filter(names_secret, told.reached.headers):
        fix = f"--header {name}=env:VARIABLE keeps it out"
        notes.append(f"{name}: its value stands in {starter.TARGET}, and in the plan of each drill; {fix}")
    return found, endpoint, notes


def _texts(told: Ready, found: Joined, endpoint: Endpoint) -> dict[str, str]:
    """The files, by name."""
    return {
        starter.TARGET: starter.target_text(told.reached),
        starter.SCHEMA: starter.schema_text(found, endpoint.source),
        starter.SAMPLE: found.sample_csv(),
        starter.RULES: rule_file(found.schema, "drill"),
        starter.DRILL: starter.drill_text(found, _name(told), RATE_PER_S),
    }


async def _own_rules(url: str, told: Ready, found: Joined) -> tuple[dict[str, str], list[str]]:
    """A scenario for the rules that a Prometheus has loaded, and what is not in it.

    Raises:
        QueryFailed: it does not answer as a Prometheus does.
    """
    async with PrometheusApi(url) as api:
        groups = await api.rules()
        try:
            scrape_s = (await api.settings()).scrape_interval_s
        except QueryFailed:  # such as Mimir's, which has no configuration to show
            scrape_s = USUAL_SCRAPE_S
    all_of_it = proposals(RuleBook.of(groups), found, scrape_s)
    left = [f"{one.alert}: no fault proposed, {one.why}" for one in all_of_it.left_out]
    if not all_of_it.proposed:
        return {}, [*left, f"{url}: no alert of its {len(all_of_it.left_out)} for which a fault could be proposed"]
    name = f"{_name(told)}-own-rules"
    return {starter.OWN_RULES: skeleton_text(all_of_it, name, url, RATE_PER_S)}, left


def _name(told: Ready) -> str:
    """What the drill is called: by its model, if the address names it, else by the folder."""
    model = _MODEL.search(told.path)
    text = model[1] if model else told.wish.out.absolute().name
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:40] or "first-drill"


def _write(wish: Wish, texts: dict[str, str]) -> tuple[Path, ...]:
    wish.out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (wish.out / name).write_text(text, encoding="utf-8")
    return tuple(wish.out / name for name in texts)
