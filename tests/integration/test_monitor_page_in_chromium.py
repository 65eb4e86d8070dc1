"""The monitor's page in a real Chromium, before a real monitor: it is live, says what is wrong, and hides nothing."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.browser.chromium import Chromium, Tab
from tests.browser.fixture import browser  # noqa: F401 - a fixture
from tests.integration.monitor_process import Server
from tests.integration.prometheus.watched_model import watched_in_all_ways
from tests.integration.test_monitor_page import model
from tests.unit.alerting.models import BOTH

MARKUP = '<img src=x onerror="document.title=1">'
NAMES = ["amount", "country", MARKUP, "__proto__"]
ONLY_WITH_GPUS = {"model_gpu_memory_used_bytes", "model_gpu_utilization_ratio"}
TILES = "Object.fromEntries([...document.querySelectorAll('.tile')].map(t => [t.querySelector('dt').textContent, t.querySelector('b').textContent]))"  # noqa: E501
SAID = "document.querySelector('.attention').innerText"


def row(amount: float, id_: int = 0) -> bytes:
    values: dict[str, Any] = dict(zip(NAMES, (amount, "DE", "a", "b"), strict=True))
    return json.dumps({"id": id_, **values}).encode()


class Watched(Server):
    """A monitor before a model, which can be killed and started again at the same port."""

    def __init__(self, folder: Path, url: str, port: int = 0) -> None:
        files = ["--schema", str(folder / "schema.json"), "--reference", str(folder / "sample.csv")]
        options = ["--upstream", url, "--model", "fraud", "--port", str(port), "--exact-reference", *files]
        argv = [sys.executable, "-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *options]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        super().__init__(process, json.loads(process.stdout.readline())["port"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def predict(self, times: int, mean: float = 50.0) -> None:
        random_ = random.Random(times)
        for _ in range(times):
            assert self.ask(row(random_.gauss(mean, 10.0)))[0] == 200

    def kill(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Schema and reference of a model, one feature of which is called like markup and one like JavaScript's own."""
    made = tmp_path_factory.mktemp("page")
    kinds = ("number", "category", "category", "category")
    features = [{"name": name, "kind": kind} for name, kind in zip(NAMES, kinds, strict=True)]
    unwatched = {"name": "id", "kind": "integer", "watched": False}
    (made / "schema.json").write_text(json.dumps({"features": [unwatched, *features]}))
    amounts = np.random.default_rng(1).normal(50.0, 10.0, 2_000)
    quoted = MARKUP.replace('"', '""')
    lines = [f"0,{amount},DE,a,b" for amount in amounts]
    (made / "sample.csv").write_text("\n".join([f'id,amount,country,"{quoted}",__proto__', *lines]) + "\n")
    return made


@contextmanager
def monitored(folder: Path) -> Iterator[Watched]:
    with model() as url:
        server = Watched(folder, url)
        yield server
        if server.process.poll() is None:
            server.kill()


@contextmanager
def page_of(browser: Chromium, watched: Watched) -> Iterator[Tab]:  # noqa: F811
    """The page, open at the monitor's root, and live."""
    opened = browser.tab()
    opened.look(1400, dark=False)
    opened.open(f"{watched.url}/")
    opened.until("document.body.className === 'live'")
    yield opened
    opened.close()


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    """A monitor of the test's own."""
    with monitored(folder) as server:
        yield server


@pytest.fixture
def tab(browser: Chromium, watched: Watched) -> Iterator[Tab]:  # noqa: F811
    with page_of(browser, watched) as opened:
        yield opened


@pytest.fixture(scope="module")
def standing(folder: Path) -> Iterator[Watched]:
    """A monitor that tests share, after twenty predictions."""
    with monitored(folder) as server:
        server.predict(20)
        yield server


@pytest.fixture
def still(browser: Chromium, standing: Watched) -> Iterator[Tab]:  # noqa: F811
    """The page of the monitor that tests share."""
    with page_of(browser, standing) as opened:
        yield opened


def test_numbers_change_as_requests_come(tab: Tab, watched: Watched) -> None:
    assert "No request has come since the monitor started" in tab.run(SAID)
    assert "this monitor is given no labels" in tab.run(SAID)
    assert "Nothing that is watched needs attention" not in tab.run(SAID)
    for total in (30, 75):
        watched.predict(total if total == 30 else 45)
        tab.until(f"({TILES}).Predictions === '{total}'")
    tiles = tab.run(TILES)
    assert tiles["Requests"] != "0/s"
    assert tiles["Latency p95"].endswith("ms")
    rows = tab.run("[...document.querySelectorAll('.features tbody tr')].map(r => r.innerText)")
    assert any("amount" in text and "usually 49." in text for text in rows)
    assert "Nothing that is watched needs attention" in tab.run(SAID)
    assert tab.complaints == []
    assert set(tab.requested) == {f"{watched.url}/", f"{watched.url}/monitor.json"}


def test_names_from_data_are_text(still: Tab) -> None:
    names = still.run("[...document.querySelectorAll('.features button')].map(b => b.textContent)")
    assert sorted(names) == sorted([*NAMES])
    assert still.run("document.images.length") == 0
    assert still.run("document.title") == "fraud · monitor"
    assert still.complaints == []


def test_a_script_that_gets_into_the_page_does_not_run(still: Tab) -> None:
    still.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
    still.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"x\" onerror=\"window.ran = 1\">')")
    still.until("document.images[0].complete")
    assert still.run("window.ran === undefined")
    assert any("Content Security Policy" in text for text in still.complaints)


def test_views_and_features_are_chosen_by_keyboard_and_keep_the_focus(still: Tab, standing: Watched) -> None:
    assert still.run("document.querySelector('[aria-current]').textContent") == "Engineers"
    still.run("document.querySelector('nav a').focus()")
    still.press("Tab")
    still.press("Enter")
    still.until("document.querySelector('[aria-current]').textContent === 'Product'")
    assert still.run("location.hash") == "#product"
    assert "Got a prediction" in still.run(TILES)
    still.run("location.hash = ''")
    still.until("!!document.querySelector('.features button')")
    still.run("[...document.querySelectorAll('.features button')].find(b => b.textContent === 'country').focus()")
    still.press("Enter")
    still.until("document.querySelector('.cells caption').textContent.startsWith('country')")
    standing.predict(3)
    still.until(f"({TILES}).Predictions === '23'")
    assert still.run("document.activeElement.textContent") == "country"
    assert still.run("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_a_drift_alarm_is_said_in_words_in_both_views_and_in_the_title(tab: Tab, watched: Watched) -> None:
    watched.predict(100)
    tab.until(f"({TILES}).Predictions === '100'")
    watched.predict(300, mean=70.0)
    tab.until(f"({SAID}).includes('Alarm Input “amount” has changed: its mean is')")
    assert tab.run("document.title") == "(1 alarm) fraud · monitor"
    assert tab.run("document.querySelector('.features tbody tr').innerText").startswith("amount")
    tab.run("location.hash = 'product'")
    tab.until(f"({TILES})['Inputs that changed'] === '1 of 4'")
    assert "Alarm Input “amount” has changed" in tab.run(SAID)


def test_it_says_since_when_the_monitor_does_not_answer_and_that_it_was_restarted(
    tab: Tab, watched: Watched, folder: Path
) -> None:
    watched.predict(10)
    tab.until(f"({TILES}).Predictions === '10'")
    watched.kill()
    text = tab.until("document.body.className === 'lost' && document.getElementById('state').textContent")
    assert text.startswith("No answer from the monitor since ")
    assert len(text.split()[6]) == len("12:03:07.")
    assert tab.run(TILES)["Predictions"] == "10", "what was known stays, marked as old"
    with model() as url:
        again = Watched(folder, url, watched.port)
        try:
            tab.until("document.getElementById('state').textContent.includes('The monitor was restarted at')")
            assert tab.run(TILES)["Predictions"] == "0"
            tab.until(f"({TILES}).Requests === '0/s'")  # not fewer than before
        finally:
            again.kill()


@pytest.mark.parametrize("part", ["attention", "Reading"])
def test_a_fault_of_the_page_is_said_to_be_one_and_ends_with_its_cause(still: Tab, part: str) -> None:
    said = "document.getElementById('state').textContent"
    still.run(f"window.whole = {part}; {part} = function () {{ throw new TypeError('broken on purpose'); }}")
    text = still.until(f"document.body.className === 'faulty' && {said}")
    assert text == (
        "The monitor answers, but this page fails to show it (broken on purpose): a fault of the page, "
        "not of the model. What is shown may be old."
    )
    assert any("broken on purpose" in one for one in still.complaints)
    asked = len(still.requested)
    still.run(f"{part} = window.whole")
    still.until("document.body.className === 'live'")
    assert len(still.requested) > asked
    still.complaints.clear()


def test_an_answer_that_is_no_answer_of_the_monitor_is_an_outage(still: Tab) -> None:
    still.run("window.whole = fetch; fetch = async () => new Response('<html>', {status: 200})")
    still.until("document.body.className === 'lost'")
    still.run("fetch = async () => new Response('', {status: 502})")
    still.until("document.getElementById('state').textContent.startsWith('No answer from the monitor since ')")
    still.run("fetch = window.whole")
    still.until("document.body.className === 'live'")


def test_it_asks_nothing_while_nobody_looks(still: Tab) -> None:
    still.run("Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true})")
    still.run("new Promise(done => setTimeout(done, 100))")  # what was under way has ended
    asked = len(still.requested)
    still.run("new Promise(done => setTimeout(done, 1300))")
    assert len(still.requested) == asked


@pytest.mark.parametrize("width", [380, 1400])
def test_it_fits_its_width_in_light_and_dark_and_everything_has_a_name(still: Tab, width: int) -> None:
    grounds = set()
    for view in ("engineers", "product"):
        still.run(f"location.hash = '{view}'")
        for dark in (False, True):
            still.look(width, dark)
            still.run("draw()")
            assert still.run("document.documentElement.scrollWidth") <= width
            grounds.add(still.run("getComputedStyle(document.body).backgroundColor"))
        nodes = still.call("Accessibility.getFullAXTree")["nodes"]
        named = {"button", "link", "combobox", "image", "table", "img", "searchbox", "heading", "columnheader"}
        for node in nodes:
            if not node["ignored"] and node["role"]["value"] in named:
                assert node["name"]["value"].strip(), node
    assert len(grounds) == 2


def test_of_many_inputs_twenty_are_shown_and_others_are_found_by_name(still: Tab) -> None:
    still.run("""{
        const values = history_.at(-1).metrics.model_feature_values_total.values["1"];
        for (let n = 0; n < 40; n++) values[`extra ${n}`] = { q01: n };
        document.body.dataset.source = "nowhere.json";  // what was read last stays
        draw();
    }""")
    rows = "document.querySelectorAll('.features tbody tr').length"
    assert still.run(rows) == 20
    still.run("document.getElementById('all').click()")
    assert still.run(rows) == 44
    still.run("document.getElementById('filter').focus()")
    still.call("Input.insertText", text="EXTRA 3")
    assert still.run(rows) == 11
    assert still.run("document.activeElement.value") == "EXTRA 3"


def test_figures_are_what_prometheus_would_say(still: Tab) -> None:
    assert still.run("quantile(0.5, [[0.1, 10], [0.2, 10], [Infinity, 0]])") == pytest.approx(0.1)
    assert still.run("quantile(0.75, [[0.1, 10], [0.2, 10], [Infinity, 0]])") == pytest.approx(0.15)
    assert still.run("quantile(0.99, [[0.1, 1], [Infinity, 9]]) === Infinity")
    assert still.run("quantile(0.5, [[0.1, 0], [Infinity, 0]])") is None
    assert still.run("[show.share(null), show.count(undefined), show.seconds(NaN), show.number(null)]") == ["–"] * 4
    assert still.run("[show.seconds(0.0123), show.seconds(90), show.seconds(7200), show.bytes(1536)]") == [
        "12.3 ms", "90 s", "2 h", "1.5 KiB",
    ]  # fmt: skip
    assert still.run("[show.share(0.05), show.share(0.0012), show.share(1), show.sds(-1.5)]") == [
        "5.0%", "0.12%", "100%", "−1.50 sd",
    ]  # fmt: skip


def test_with_everything_on_all_that_it_asks_for_exists(
    browser: Chromium,  # noqa: F811
    tmp_path: Path,
) -> None:
    with watched_in_all_ways(tmp_path, BOTH) as running:
        opened = browser.tab()
        opened.look(1400, dark=False)
        opened.open(f"http://{running.monitor}/monitor")
        opened.until("document.body.className === 'live'")
        opened.run("""{
            window.missing = new Set();
            for (const name of ["at", "rows"]) {
                const asked = Reading.prototype[name];
                Reading.prototype[name] = function (metric, ...path) {
                    if (!(metric in this.metrics)) missing.add(metric);
                    return asked.call(this, metric, ...path);
                };
            }
        }""")
        for view in ("product", "engineers"):
            opened.run(f"location.hash = '{view}'")
            opened.run("draw()")
        assert set(opened.run("[...missing]")) <= ONLY_WITH_GPUS
        text = opened.run("document.body.innerText")
        for said in ("accuracy", "click through", "refunds", "conversion", "store", "feedback: joined", "log: written"):
            assert said in text, said
        assert "Version 1, within 1d: known from" in text
        assert opened.complaints == []
        opened.close()
