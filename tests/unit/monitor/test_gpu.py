import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from alertdrill.monitor.gpu import Gpus, NoGpu

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}


def nvml(devices: int, works: bool = True) -> Any:
    """A library that answers as NVML's documentation says."""

    class NVMLError(Exception):
        pass

    def init() -> None:
        if not works:
            raise NVMLError("Driver Not Loaded")

    def handle(index: int) -> int:
        if index == 1:
            raise NVMLError("GPU is lost")
        return index

    made: Any = ModuleType("pynvml")
    made.NVMLError, made.nvmlInit = NVMLError, init
    made.nvmlDeviceGetCount = lambda: devices
    made.nvmlDeviceGetHandleByIndex = handle
    made.nvmlDeviceGetMemoryInfo = lambda device: SimpleNamespace(used=5 << 30, total=80 << 30)
    made.nvmlDeviceGetUtilizationRates = lambda device: SimpleNamespace(gpu=75)
    return made


def test_every_gpu_that_answers_is_shown(values: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml(3))
    of = Gpus(LABELS)
    of.sample()
    seen = values("".join(of.render()))
    assert seen["model_gpu_memory_used_bytes", "0"] == 5 << 30
    assert seen["model_gpu_memory_total_bytes", "2"] == 80 << 30
    assert seen["model_gpu_utilization_ratio", "0"] == 0.75
    assert ("model_gpu_memory_used_bytes", "1") not in seen


@pytest.mark.parametrize(("library", "says"), [(None, r"alertdrill\[gpu\]"), (nvml(0, works=False), "driver")])
def test_without_library_or_driver_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, library: Any, says: str
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    with pytest.raises(NoGpu, match=says):
        Gpus(LABELS)
