"""Memory and use of NVIDIA's GPUs, through NVML. The library is optional: `pip install 'alertdrill[gpu]'`."""

import contextlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from alertdrill.monitor.exposition import header, key, lines

MOST_GPUS = 64


class NoGpu(Exception):
    """There is no library or no driver to ask; the text says which and how to fix it."""


class Gpus:
    """Samples every GPU of the machine.

    Args:
        labels: of the model, put on every series.

    Raises:
        NoGpu: NVML cannot be used here.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._nvml = _nvml()
        self._now: dict[str, tuple[float, float, float]] = {}

    def sample(self) -> None:
        """Ask the driver. Not for an event loop."""
        nvml, now = self._nvml, {}
        with contextlib.suppress(nvml.NVMLError):
            for index in range(min(nvml.nvmlDeviceGetCount(), MOST_GPUS)):
                with contextlib.suppress(nvml.NVMLError):
                    device = nvml.nvmlDeviceGetHandleByIndex(index)
                    memory = nvml.nvmlDeviceGetMemoryInfo(device)
                    busy = nvml.nvmlDeviceGetUtilizationRates(device).gpu / 100
                    now[str(index)] = float(memory.used), float(memory.total), busy
        self._now = now

    def render(self) -> Iterator[str]:
        """The lines of these metrics, as of the last sample."""
        metrics = (
            ("memory_used_bytes", "Memory of a GPU in use."),
            ("memory_total_bytes", "Memory of a GPU."),
            ("utilization_ratio", "Share of the time that a GPU was busy, 0 to 1."),
        )
        for at, (name, text) in enumerate(metrics):
            yield header(f"model_gpu_{name}", "gauge", text)
            keys = [key(f"model_gpu_{name}", {**self._labels, "gpu": gpu}) for gpu in self._now]
            yield from lines(keys, [values[at] for values in self._now.values()])


def _nvml() -> Any:
    try:
        nvml = import_module("pynvml")
    except ImportError:
        text = "got no module pynvml, expected NVML's Python library; fix: pip install 'alertdrill[gpu]'"
        raise NoGpu(text) from None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise NoGpu(f"got {error}, expected NVIDIA's driver; fix: install it, or leave gpu out") from None
    return nvml
