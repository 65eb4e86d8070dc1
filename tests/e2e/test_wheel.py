"""What users install: the built wheel, used from a folder that is no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BUILT_FROM = ("src", "scenarios", "targets", "pyproject.toml", "README.md", "LICENSE")


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network from a copy of the sources."""
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in BUILT_FROM:
        copy = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
        copy(CHECKOUT / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", output, source, cwd=output)
    (built,) = output.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it; dependencies come from the environment of the tests."""
    environment = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment)
    (site,) = environment.glob("lib/python*/site-packages")
    pip = (sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install")
    run(*pip, "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", wheel, cwd=environment)
    # Read after the wheel, and without the .pth of the editable installation: a path file does not reach path files.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


def alertdrill(installed: Path, cwd: Path, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return run(installed / "alertdrill", *arguments, cwd=cwd, environment={**environment, "COLUMNS": "100"})


@pytest.mark.parametrize(
    "file",
    [
        "alertdrill/py.typed",
        "alertdrill/bundled/scenarios/seed-disaster.yaml",
        "alertdrill/bundled/targets/fraud/target.yaml",
        "alertdrill/bundled/targets/fraud/server.py",
        "alertdrill/bundled/targets/fraud/rules/alerts.drill.yml",
        "alertdrill-0.1.0.dist-info/licenses/LICENSE",
    ],
)
def test_the_wheel_has(wheel: Path, file: str):
    assert file in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_has_every_scenario_and_target_of_the_checkout_and_no_compiled_file(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("scenarios", "targets"):
        files = {p.relative_to(CHECKOUT) for p in (CHECKOUT / folder).rglob("*") if p.is_file() and p.suffix != ".pyc"}
        wanted = {f"alertdrill/bundled/{file.as_posix()}" for file in files if not file.name.startswith(".")}
        assert wanted
        assert wanted - names == set()
    assert [name for name in names if name.endswith(".pyc")] == []


def test_the_installed_command_plans_the_bundled_drill_in_another_folder(installed: Path, tmp_path: Path):
    said = alertdrill(installed, tmp_path, "plan", "seed-disaster")
    assert "FeatureNullRateHigh" in said
    assert "seed-disaster" in said


def test_the_installed_command_uses_the_installed_files(installed: Path, tmp_path: Path):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    code = "from alertdrill.adapters.bundled import scenarios_dir; print(scenarios_dir())"
    said = run(installed / "python", "-c", code, cwd=tmp_path, environment=environment)
    assert Path(said.strip()).is_relative_to(installed.parent)


def test_the_installed_command_documents_its_faults(installed: Path, tmp_path: Path):
    assert "Replace values by JSON null." in alertdrill(installed, tmp_path, "faults", "nulls")
