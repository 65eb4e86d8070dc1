// The two views: what they show of a span, and of the time before it.

const SIGNS = { alarm: "Alarm", warn: "Warning", unknown: "Unknown" };

function attentionList({ attention: items, span }) {
  const quiet = all(span) > 0 && items.every(({ level }) => level === "unknown");
  const calm = el("li", { class: "calm" }, "Nothing that is watched needs attention.");
  return wide("What needs attention", el("ul", { class: "attention" }, quiet ? calm : null,
    ...items.map(({ level, text }) => el("li", { class: level }, el("strong", {}, SIGNS[level]), " ", text))));
}

/** A figure over time, from readings five seconds apart. */
function trend(history, figure) {
  const now = history.at(-1);
  return history.flatMap((reading, at) => {
    let before = at;
    while (before > 0 && reading.steady_s - history[before].steady_s < 4.5) before--;
    return before === at ? [] : [[now.steady_s - reading.steady_s, figure(new Span(reading, history[before]))]];
  });
}

const LATENCY = "model_request_duration_seconds";
const all = (span) => span.sum("model_requests_total");
const perSecond = (span, count) => (count === null || !span.seconds ? null : count / span.seconds);

function requestTiles({ span, history, width }) {
  const buckets = span.buckets(LATENCY);
  const [requests, failed] = [all(span), span.sum("model_requests_total", (code) => code.startsWith("5"))];
  const share = requests ? failed / requests : null;
  const { errors, latency_s } = span.now.limits;
  const small = { width: Math.min(width - 40, 180) };
  const over = (q) => (past) => { const x = quantile(q, past.buckets(LATENCY)); return x === Infinity ? 10 : x; };
  const p95 = quantile(0.95, buckets);
  return el("dl", { class: "tiles" },
    tile("Predictions", show.count(span.now.own("model_predictions_total")), "since the monitor’s start",
      line(trend(history, (past) => past.rate("model_predictions_total")), "Predictions a second", show.rate, small)),
    tile("Requests", show.rate(perSecond(span, requests)), `${show.count(requests)} in the time shown`,
      line(trend(history, (past) => perSecond(past, all(past))), "Requests a second", show.rate, small)),
    tile("Failed (5xx)", show.share(share), `${show.count(failed)} in the time shown`, null,
      share > errors ? "alarm" : share > 0 ? "warn" : null),
    ...[[0.5, "p50"], [0.95, "p95"], [0.99, "p99"]].map(([q, name]) => tile(`Latency ${name}`, show.seconds(quantile(q, buckets)), null,
      line(trend(history, over(q)), `Latency ${name}`, show.seconds, small), q === 0.95 && p95 > latency_s ? "warn" : null)));
}

function counted(caption, heads, span, name, why) {
  const found = span.counts(name).filter(([key]) => span.now.own(name, key) > 0);
  if (!found.length) return el("p", { class: "none" }, why);
  return table(caption, heads, found.map(([key, count]) =>
    [words(key), show.count(span.now.own(name, key)), show.rate(perSecond(span, count))]));
}

function requests(scene) {
  const { span, width } = scene;
  const buckets = span.buckets(LATENCY);
  const marks = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]].map(([name, q]) => [name, quantile(q, buckets)]);
  const rows = buckets.map(([edge, count]) => [edge === Infinity ? "more" : show.seconds(edge), show.count(count)]);
  return wide("Requests", requestTiles(scene),
    el("h3", {}, "Latency, all answers of the time shown"), histogram(buckets, marks, width),
    el("details", {}, el("summary", {}, "Latency as a table"), table("Answers by latency", ["Up to", "Answers"], rows)),
    el("div", { class: "columns" },
      counted("By code of the answer", ["Code", "Ever", "Now"], span, "model_requests_total", "No request has come yet."),
      counted("Failures by kind", ["Kind", "Ever", "Now"], span, "model_request_failures_total", "No request has failed to bring a whole answer."),
      counted("Malformed requests", ["Reason", "Ever", "Now"], span, "model_malformed_requests_total", "Every request could be read.")));
}

function evidenceCell({ ratio, alarm: alarmed, evidence, threshold }) {
  const level = alarmed ? "alarm" : ratio > 0.7 ? "warn" : "";
  const said = ratio === null ? "not compared yet" : `${show.number(evidence)} of ${show.number(threshold)}`;
  return el("span", { class: `evidence ${level}` }, meter(ratio, level), el("span", {}, alarmed ? el("strong", {}, "drift ") : null, said));
}

const against = (now, usual) => el("span", {}, el("b", {}, now), el("small", {}, ` usually ${usual}`));

function columnRow(column, chosen) {
  const { kind, name } = column;
  const mark = `${kind.of}/${name}`;
  const button = el("button", { type: "button", "data-column": mark, "aria-pressed": String(mark === chosen) }, name);
  const moments = column.numeric;
  return { class: column.alarm ? "alarm" : null, cells: [
    button, evidenceCell(column),
    moments ? against(show.number(column.mean), show.number(column.usualMean)) : "no number",
    moments ? against(show.number(column.sd), show.number(column.usualSd)) : "",
    moments ? show.sds(column.shift) : "",
    against(show.share(column.absent), show.share(column.usualAbsent)),
    against(show.share(column.strange), show.share(column.usualStrange)),
  ] };
}

const COLUMN_HEADS = ["Name", "Evidence for drift, of its threshold", "Mean", "Deviation", "Shift", "Null or missing", "Outside the reference"];

function cellChart(column) {
  const most = Math.max(...column.cells.flatMap(({ share, usual }) => [share ?? 0, usual ?? 0]));
  const rows = column.cells.map(({ cell, share, usual }) =>
    [cell, el("span", {}, pairOfBars(share, usual, most)), show.share(share), show.share(usual)]);
  return el("div", { class: "cells" },
    table(`${column.name}: share of every cell, ${plural(column.total, "value")} in the time shown`,
      ["Cell", "Now above, reference below", "Now", "Reference"], rows),
    column.numeric ? el("p", { class: "hint" }, "q01 to q10: tenths of the reference, from its lowest values to its highest.") : null);
}

function columns(title, kind, scene, none) {
  const { span, chosen, filter } = scene;
  const found = columnsOf(span, kind);
  if (!found.length) return wide(title, el("p", { class: "none" }, none));
  const shown = kind === INPUTS && filter ? found.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase())) : found;
  const picked = found.find(({ name }) => `${kind.of}/${name}` === chosen[kind.of]) ?? found[0];
  const search = kind === INPUTS && found.length > 12 &&
    el("label", { class: "filter" }, "Names with ", el("input", { type: "search", id: "filter" }));
  const [whole, threshold] = ["evidence", "threshold"].map((end) => span.now.own(`model_drift_global_${end}`) ?? null);
  return wide(title, search || null,
    el("div", { class: "split" },
      el("div", {}, table(`${title} against the reference`, COLUMN_HEADS,
        shown.map((column) => columnRow(column, `${kind.of}/${picked.name}`)), { class: "features" }),
      kind === INPUTS && whole !== null ? el("p", { class: "hint" }, "All together: ",
        evidenceCell({ evidence: whole, threshold, ratio: whole / threshold, alarm: whole >= threshold })) : null,
      kind === ANSWERS ? classes(span) : null),
      cellChart(picked)));
}

function classes(span) {
  const found = span.counts("model_prediction_classes_total");
  const total = found.reduce((sum, [, count]) => sum + count, 0);
  return found.length ? table("Predicted classes", ["Class", "In the time shown", "Share"],
    found.map(([name, count]) => [name, show.count(count), show.share(total ? count / total : null)])) : null;
}

function dependencies(span) {
  const name = "model_dependency_duration_seconds";
  const found = span.now.keys(`${name}_count`);
  if (!found.length) return null;
  const rows = found.map((one) => { const buckets = span.buckets(name, one);
    return [one, show.rate(span.rate(`${name}_count`, one)), ...[0.5, 0.95, 0.99].map((q) => show.seconds(quantile(q, buckets)))]; });
  return section("Dependencies", table("As the model’s answers state them", ["Name", "Calls", "p50", "p95", "p99"], rows));
}

function resources({ span, history, width }) {
  const own = (name) => span.now.own(`model_process_${name}`);
  if (own("up") === undefined) return section("Model process", el("p", { class: "none" }, "Not watched: the monitor was not told its process id (--model-pid)."));
  const cpu = (past) => past.rate("model_process_cpu_seconds_total");
  const small = { width: Math.min(width - 40, 180) };
  const gpus = span.now.keys("model_gpu_memory_used_bytes").map((gpu) => tile(`GPU ${gpu}`,
    show.bytes(span.now.own("model_gpu_memory_used_bytes", gpu)), `${show.share(span.now.own("model_gpu_utilization_ratio", gpu))} busy`));
  return section("Model process", el("dl", { class: "tiles" },
    tile("Process", own("up") ? "runs" : "has ended", plural(own("processes"), "process", "processes"), null, own("up") ? null : "alarm"),
    tile("CPU", show.cores(cpu(span)), null, line(trend(history, cpu), "CPU", show.cores, small)),
    tile("Memory", show.bytes(own("resident_memory_bytes"))),
    tile("Disk", `${show.bytes(span.rate("model_process_disk_written_bytes_total"))}/s`, `written; ${show.bytes(span.rate("model_process_disk_read_bytes_total"))}/s read`),
    tile("Open files", show.count(own("open_fds")), plural(own("threads"), "thread")), ...gpus));
}

function monitorSection({ span }) {
  const own = (name) => [name, `model_monitor_${name}_total`];
  const seen = [own("errors"), own("dropped"), own("refused"), own("unknown_keys"), own("clock_jumps"), ["rows", "model_monitor_rows_total"]];
  const rows = seen.map(([name, metric]) => [words(name), show.count(span.now.own(metric)), show.rate(span.rate(metric))]);
  for (const [title, metric] of [["log", "model_monitor_log_lines_total"], ["tail", "model_tail_lines_total"], ["events", "model_mirror_events_total"],
    ["feedback", "model_feedback_total"], ["feedback refused", "model_feedback_refused_total"], ["answers without id", "model_truth_unread_total"]]) {
    for (const [key, count] of span.counts(metric)) {
      if (span.now.own(metric, key)) rows.push([`${title}: ${words(key)}`, show.count(span.now.own(metric, key)), show.rate(perSecond(span, count))]);
    }
  }
  const before = span.before?.at("process_cpu_seconds_total") ?? 0;
  const age = span.now.at_s - span.now.own("model_monitor_window_end_timestamp_seconds");
  return section("The monitor itself", el("dl", { class: "tiles" },
    tile("CPU", show.cores(span.seconds ? (span.now.at("process_cpu_seconds_total") - before) / span.seconds : null)),
    tile("Memory", show.bytes(span.now.at("process_resident_memory_bytes"))),
    tile("Runs for", show.seconds(span.now.at_s - span.now.at("process_start_time_seconds"))),
    tile("Evidence is", `${show.seconds(age)} old`, null, null, age > 10 ? "warn" : null)),
    table("What it counted, left out and failed at", ["What", "Ever", "Now"], rows));
}

const interval = (now, name, row, write) => {
  const path = now.metrics[name].labels.map((label) => row[label]);
  const [low, high] = ["low", "high"].map((end) => now.at(`${name}_${end}`, ...path));
  return isNumber(low) ? `${write(low)} to ${write(high)}` : "–";
};

const NO_SHARES = ["auc", "f1", "rmse", "mae"];

function estimates(now, name, caption, none) {
  const rows = now.rows(name);
  return rows.length ? versioned(caption, ["Figure", "Value", "95% interval"], rows, (row) => {
    const write = NO_SHARES.includes(row.metric) ? show.number : show.percent;
    return [words(row.metric), write(row.value), interval(now, name, row, write)];
  }) : el("p", { class: "none" }, none);
}

/** A table of figures by version and window, which stand in the caption where there is one of each. */
function versioned(caption, heads, rows, cells) {
  const [{ version, window }] = rows;
  if (rows.every((row) => row.version === version && row.window === window)) {
    return table(`${caption}, version ${version}, within ${window}`, heads, rows.map(cells));
  }
  return table(caption, [...heads, "Version", "Within"], rows.map((row) => [...cells(row), row.version, row.window]));
}

const QUALITY_STATES = {
  known: (labels) => `known from ${plural(labels, "label")}`,
  too_few: (labels) => `not known, too few labels (${show.count(labels)})`,
  no_labels: () => "not known, no label came",
  no_predictions: () => "not known, there were no predictions",
  unknown: () => "not known, the monitor cannot read its store",
};

function qualitySection(span) {
  const { now } = span;
  const states = now.rows("model_quality_state").filter(({ value }) => value === 1);
  if (!states.length) return section("Quality", el("p", { class: "unknown" }, "Not known: this monitor is given no labels (--truth-store)."));
  const said = states.map(({ state, window, version }) => el("li", { class: state === "known" ? "calm" : "unknown" },
    `Version ${version}, within ${window}: ${QUALITY_STATES[state]?.(now.at("model_quality_labels", version, window)) ?? state}.`));
  const lag = new Span(now, undefined).buckets("model_label_lag_seconds");
  const half = atMost(0.5, lag);
  const lagged = half === null ? "no label has come yet" : `half of them within ${show.seconds(half)} of the prediction, 95% within ${show.seconds(atMost(0.95, lag))}`;
  return section("Quality", el("ul", { class: "attention" }, ...said),
    estimates(now, "model_quality", "Quality by labels", "No figure yet: no labels, or too few."),
    el("p", { class: "hint" }, `How late labels come: ${lagged}.`),
    estimates(now, "model_proxy_quality", "Before labels come", "Nothing stands in for labels."));
}

function business(now) {
  const rows = now.rows("model_business_kpi");
  return section("KPIs", rows.length ? versioned("Figures of the business", ["KPI", "Value"], rows, ({ kpi, value }) => [words(kpi), show.number(value)])
    : el("p", { class: "none" }, "None is given: post them as feedback, or compute them with --kpi."));
}

const engineers = (scene) => [
  attentionList(scene), requests(scene),
  columns("Inputs", INPUTS, scene, "No input is watched."),
  columns("Predictions", ANSWERS, scene, "Nothing to compare yet: no answer, or none of the first ones gathered as a reference."),
  qualitySection(scene.span), business(scene.span.now), dependencies(scene.span), resources(scene), monitorSection(scene),
].filter(Boolean);

function product(scene) {
  const { span, history, width } = scene;
  const [asked, given, buckets] = [all(span), span.count("model_requests_total", "200"), span.buckets(LATENCY)];
  const served = asked ? given / asked : null;
  const changed = columnsOf(span, INPUTS);
  const volume = trend(history, (past) => past.rate("model_predictions_total"));
  return [attentionList(scene), wide("Use", el("dl", { class: "tiles" },
    tile("Predictions", show.count(span.now.own("model_predictions_total")), "since the monitor’s start"),
    tile("Predictions", show.count(span.count("model_predictions_total")), "in the time shown"),
    tile("Got a prediction", show.share(served), "of the requests in the time shown", null, served < 1 - span.now.limits.errors ? "alarm" : null),
    tile("Typical wait", show.seconds(quantile(0.5, buckets)), "half of the answers came sooner"),
    tile("Long wait", show.seconds(quantile(0.95, buckets)), "19 of 20 answers came sooner"),
    tile("Inputs that changed", `${changed.filter((one) => one.alarm).length} of ${changed.length}`, "against the reference", null, changed.some((one) => one.alarm) ? "alarm" : null)),
    el("h3", {}, "Predictions a second, while this page was open"),
    line(volume, "Predictions a second", show.rate, { width, height: 170, axes: true })),
  qualitySection(span), business(span.now)];
}
