import asyncio

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.replay_engine.expansion import Expander
from alertdrill.core.recording import label_key


async def test_templates_of_labels_come_out_as_prometheus_writes_them() -> None:
    labels = {
        "value": "{{ $value }}",
        "who": "{{ $labels.job }}-{{ .ExternalLabels.cluster }}",
        "human": "{{ humanize $value }}",
        "metric": "{{ $labels.__name__ }}",
    }
    samples = [(label_key({"__name__": "x", "job": job}), value) for job, value in (("a", 1e6), ("b", 0.1))]
    loop = asyncio.get_running_loop()
    expander = Expander(ensure_prometheus().prometheus.path, {"cluster": "eu"}, loop)
    try:
        found = await asyncio.to_thread(expander.expand, labels, samples)
    finally:
        await expander.close()
    assert found == [
        {"value": "1e+06", "who": "a-eu", "human": "1M", "metric": "x"},
        {"value": "0.1", "who": "b-eu", "human": "100m", "metric": "x"},
    ]
