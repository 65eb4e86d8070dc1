"""The examples for `alertdrill proxy`: by the schemas of Kubernetes, by systemd, and by the command line itself."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import typer
import yaml

from alertdrill.cli.app import app
from alertdrill.core.inside_protocol import SHORTEST_TOKEN

HERE = Path(__file__).parents[2] / "examples" / "proxy"
KUBERNETES = json.loads(Path(__file__).with_name("kubernetes-1.30.json").read_bytes())
UNIT = HERE / "alertdrill-proxy.service"


def documents() -> list[Any]:
    return list(yaml.safe_load_all((HERE / "kubernetes.yaml").read_text()))


def errors(document: Any) -> list[str]:
    schema = {"$ref": f"#/$defs/{KUBERNETES['kinds'][document['kind']]}", "$defs": KUBERNETES["$defs"]}
    return [one.message for one in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def options_of(words: list[str]) -> dict[str, str]:
    """Options and values; every option is one of the command's."""
    command: Any = typer.main.get_command(app)
    known = {name for one in command.commands["proxy"].params for name in one.opts}
    flat = [part for word in words for part in word.split("=", 1)]
    found = dict(zip(flat[::2], flat[1::2], strict=True))
    assert set(found) <= known
    return found


def test_each_manifest_is_valid_by_the_schema_of_its_kind() -> None:
    assert {one["kind"]: errors(one) for one in documents()} == {kind: [] for kind in KUBERNETES["kinds"]}


def test_the_schema_refuses_keys_and_types_that_do_not_exist() -> None:
    deployment = next(one for one in documents() if one["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][1]["ports"][0]["containerPort"] = "8080"
    deployment["spec"]["replica"] = 2
    assert len(errors(deployment)) == 2


def test_what_the_manifest_says_hangs_together() -> None:
    secret, deployment, claim, service = documents()
    pod = deployment["spec"]["template"]["spec"]
    model, proxy = pod["containers"]
    options = options_of(proxy["args"])
    assert options["--upstream"].endswith(f":{model['ports'][0]['containerPort']}")
    assert options["--listen"].endswith(f":{proxy['ports'][0]['containerPort']}")
    assert options["--control"].startswith("127.0.0.1:")
    assert options["--journal"].startswith(proxy["volumeMounts"][0]["mountPath"] + "/")
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (token,) = proxy["env"]
    assert token["name"] == options["--token-env"]
    assert token["valueFrom"]["secretKeyRef"]["name"] == secret["metadata"]["name"]
    known_to_all = secret["stringData"][token["valueFrom"]["secretKeyRef"]["key"]]
    assert len(known_to_all) < SHORTEST_TOKEN, "the proxy must refuse the token of an example"
    assert service["spec"]["ports"][0]["targetPort"] == proxy["ports"][0]["name"]
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]


def test_the_unit_starts_the_command_and_systemd_takes_it(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text())
    assert unit.sections() == ["Unit", "Service", "Install"]
    program, name, command, *words = shlex.split(unit["Service"]["ExecStart"])
    assert (program, name, command) == ("/usr/bin/env", "alertdrill", "proxy")
    options = options_of([" ".join(pair).replace(" ", "=", 1) for pair in zip(words[::2], words[1::2], strict=True)])
    assert options["--journal"].startswith(f"/var/lib/{unit['Service']['StateDirectory']}/")
    verify = shutil.which("systemd-analyze")
    if verify is not None:
        found = subprocess.run([verify, "verify", "--man=no", UNIT], capture_output=True, text=True, check=False)
        assert (found.returncode, found.stderr) == (0, "")


def test_the_container_runs_the_command_as_nobody_special() -> None:
    text = (HERE / "Containerfile").read_text()
    assert 'ENTRYPOINT ["alertdrill", "proxy"]' in text
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
