"""Files that no honest scenario is like are refused with a message, soon, without waiting or filling memory."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.adapters.yaml_source import MAX_BYTES
from alertdrill.core.errors import BadInput

SOON_S = 2.0  # it takes less than half a second, and the command less than one, on a machine that is not busy
COMMAND_SOON_S = 5.0
COMMAND_BYTES = 200_000_000

HEAD = "version: 1\nname: x\ntarget: {bundled: fraud}\nload: {rate: 100/s}\n"
PHASE = (
    "- {{name: p{}, duration: 30s, faults: [{{kind: nulls, features: [amount], share: 20%}}],"
    " expect: [{{alert: A, within: 9s}}]}}\n"
)
PHASES = HEAD + "phases:\n" + "".join(PHASE.format(i) for i in range(1400))
ALL_WRONG = PHASES.replace("nulls", "nuls").replace("30s", "30").replace("9s", "9").replace("alert:", "alrt:")


def filled(text: str) -> str:
    """The text with a comment that makes it 900 kB."""
    return text + "#" + "x" * (900_000 - len(text))


def bomb(levels: int) -> str:
    """Levels of ten aliases each."""
    return "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 10}]\n" for i in range(1, levels + 1))


TEXTS = {
    "10 MB": b"x: 1\n" * 2_000_000,
    "aliases": bomb(10).encode(),
    "object tag": b"x: !!python/object/apply:os.system [id]\n",
    "binary": bytes(range(256)) * 3_900,
    "zero bytes": b"\0" * 900_000,
    "a zero byte": b"version: 1\nname: a\0b\n",
    "brackets": b"[" * 5000 + b"]" * 5000,
    "lists in lists": b"- \n" * (MAX_BYTES // 3),
    "long lists in long lists": b"a: " + (b"[" + b"1," * 17_000) * 29,
    "phases": filled(HEAD + "phases:\n" + "".join(PHASE.format(i) for i in range(7_000))).encode()[:900_000],
    "phases within bounds": filled(PHASES).encode(),
    "all wrong": filled(ALL_WRONG).encode(),
    "empty phases": b"phases:\n" + b"- {}\n" * 19_000,
    "the same key": b"k: 1\n" * 19_000,
    "a key like a mark of pydantic": b"'[key]': 1\n",
    "faults and alerts": b"phases: [{faults: ["
    + b"".join(b"{kind: nulls, id: f%d}," % i for i in range(3_500))
    + b"], expect: ["
    + b"".join(b"{alert: A%d, fault: g%d}," % (i, i) for i in range(2_000))
    + b"]}]\n",
    "rule files": HEAD.encode() + b"monitoring: {rules: [" + b"gone.yml," * 19_000 + b"]}\n",
    "a long name": b'name: "' + b"a" * (MAX_BYTES - 20) + b'"\n',
    "a long rate": b"load: {rate: " + b"1" * 900_000 + b"/s}\n",
    "a long unit": b"load: {rate: 1" + b"h" * 900_000 + b"}\n",
    "a long duration": b"settle: {timeout: " + b"1s" * 450_000 + b"}\n",
    "fragments that are gone": b"phases:\n" + b"".join(b"- include: gone%d.yaml\n" % i for i in range(6_000)),
    "itself": b"include: [drill.yaml, drill.yaml]\n" + HEAD.encode(),
    "many pieces": HEAD.encode() + b"phases:\n" + b"- include: piece.yaml\n" * 6_000,
    "the same fragment": b"include: [" + b"keys.yaml," * 11_000 + b"]\n",
    "a tree of fragments": HEAD.encode() + b"phases:\n" + b"".join(b"- include: %d/all.yaml\n" % i for i in range(100)),
    "ten times ten fragments": HEAD.encode() + b"phases:\n- include: level0.yaml\n",
    "large fragments": HEAD.encode() + b"phases:\n" + b"".join(b"- include: large%d.yaml\n" % i for i in range(100)),
}


def write_fragments(folder: Path) -> None:
    """Write what the texts include."""
    (folder / "piece.yaml").write_text("{name: p, duration: 1s}\n")
    (folder / "keys.yaml").write_text("".join(f"k{i}: 1\n" for i in range(8_000)))
    for i in range(10):
        (folder / f"level{i}.yaml").write_text(f"- include: level{i + 1}.yaml\n" * 10)
    (folder / "level10.yaml").write_text("- {name: p, duration: 1s}\n")
    (folder / "0").mkdir()
    (folder / "0" / "all.yaml").write_text("".join(f"- include: p{i}.yaml\n" for i in range(100)))
    for i in range(100):
        (folder / "0" / f"p{i}.yaml").write_text(f"{{name: p{i}, duration: 1s}}\n")
        with (folder / f"large{i}.yaml").open("wb") as large:
            large.truncate(MAX_BYTES - 1)


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_file_is_refused_soon(name: str, tmp_path: Path) -> None:
    file = tmp_path / "drill.yaml"
    file.write_bytes(TEXTS[name])
    if b"include" in TEXTS[name]:
        write_fragments(tmp_path)
    started = time.process_time()
    with pytest.raises(BadInput) as caught:
        load_scenario(file)
    assert time.process_time() - started < SOON_S
    assert len(str(caught.value)) < 20_000


@pytest.mark.timeout(10)
def test_a_file_that_never_ends_or_never_begins_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path, got in [(tmp_path / "pipe.yaml", "a pipe"), (Path("/dev/zero"), "a device"), (tmp_path, "a directory")]:
        with pytest.raises(BadInput, match=f"{got}, expected a scenario file"):
            load_scenario(path)


# A process starts with the peak memory of the one that forked it, which is the whole test run: a small one in between
# forks the command and says what it used.
METER = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.STDOUT, timeout=30).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)]))
"""


def command(path: Path, output: Path) -> tuple[int, str, float, int]:
    """Exit code, output, CPU seconds and peak memory in bytes of `alertdrill plan`, which has 30 s to end."""
    plan = [sys.executable, "-m", "alertdrill", "plan", str(path)]
    meter = [sys.executable, "-I", "-S", "-c", METER, str(output), *plan]
    code, cpu_s, peak_bytes = json.loads(subprocess.run(meter, capture_output=True, check=True).stdout)
    return code, output.read_text(), cpu_s, peak_bytes


def test_the_command_refuses_hostile_files_with_a_message_and_exit_code_2(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "wrong.yaml").write_bytes(TEXTS["all wrong"])
    for path in (tmp_path / "pipe.yaml", Path("/dev/zero"), tmp_path / "wrong.yaml"):
        code, output, cpu_s, peak_bytes = command(path, tmp_path / "output")
        assert code == 2
        assert "expected" in output
        assert "fix: " in output
        assert "Traceback" not in output
        assert cpu_s < COMMAND_SOON_S
        assert peak_bytes < COMMAND_BYTES
