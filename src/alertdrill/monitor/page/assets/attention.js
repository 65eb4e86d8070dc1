// What needs attention and what is not known, in plain words. Silence about something unknown would look like "fine".

const alarm = (text) => ({ level: "alarm", text });
const warn = (text) => ({ level: "warn", text });
const unknown = (text) => ({ level: "unknown", text });

const WARNED = {
  reference_too_small: (what) => `Small changes of ${what}s are not seen: the reference has too few rows.`,
  repeated_rows: (what) => `Chance alone may raise alarms on ${what}s: rows come several times.`,
  dependent_in_time: (what) => `Chance alone may raise alarms on ${what}s: rows depend on those before them.`,
};

/** What is unusual about an input or an answer, as far as the span shows it. */
function whatChanged(column) {
  if (!column.total) return "no value of it came in the time shown";
  const more = (share, usual) => (share ?? 0) - usual >= 0.02;
  const found = [];
  if (column.shift !== null && Math.abs(column.shift) >= 0.1) {
    found.push(`its mean is ${show.number(column.mean)}, usually ${show.number(column.usualMean)} (${show.sds(column.shift)})`);
  }
  if (more(column.absent, column.usualAbsent)) {
    found.push(`${show.share(column.absent)} of its values are empty, usually ${show.share(column.usualAbsent)}`);
  }
  if (more(column.strange, column.usualStrange)) {
    found.push(`${show.share(column.strange)} of its values lie outside of what the reference knows`);
  }
  if (found.length) return found.join("; ");
  const apart = (cell) => Math.abs((cell.share ?? 0) - (cell.usual ?? 0));
  const cell = column.cells.reduce((most, one) => (apart(one) > apart(most) ? one : most));
  return `${show.share(cell.share)} of its values are in “${cell.cell}”, usually ${show.share(cell.usual)}`;
}

function traffic(span, time) {
  const { errors, malformed, latency_s } = span.now.limits;
  if (!span.now.own("model_predictions_total") && !span.now.rows("model_requests_total").some(({ value }) => value)) {
    return [unknown("No request has come since the monitor started: nothing is known of the model.")];
  }
  const requests = span.sum("model_requests_total");
  if (!requests) return span.seconds >= 10 ? [warn(`No request came ${time}.`)] : [];
  const found = [];
  const failed = span.sum("model_requests_total", (code) => code.startsWith("5"));
  if (failed > 0) {
    const text = `${plural(failed, "request")} of ${show.count(requests)} (${show.share(failed / requests)}) failed ${time}.`;
    found.push(failed / requests > errors ? alarm(text) : warn(text));
  }
  const unread = span.sum("model_malformed_requests_total");
  if (unread / requests > malformed) {
    found.push(warn(`${show.share(unread / requests)} of the requests could not be read ${time}.`));
  }
  const p95 = quantile(0.95, span.buckets("model_request_duration_seconds"));
  if (p95 > latency_s) {
    found.push(warn(`One answer in 20 took longer than ${show.seconds(p95)} ${time}; ${show.seconds(latency_s)} is where alerts begin.`));
  }
  const bad = span.sum("model_malformed_answers_total");
  if (bad > 0) found.push(warn(`${plural(bad, "answer")} of the model held no prediction ${time}.`));
  return found;
}

function drift(span) {
  const [inputs, answers] = [columnsOf(span, INPUTS), columnsOf(span, ANSWERS)];
  const found = [
    ...inputs.filter((one) => one.alarm).map((one) => alarm(`Input “${one.name}” has changed: ${whatChanged(one)}.`)),
    ...answers.filter((one) => one.alarm).map((one) => alarm(`The model’s ${one.name} has changed: ${whatChanged(one)}.`)),
  ];
  const [whole, threshold] = ["evidence", "threshold"].map((end) => span.now.own(`model_drift_global_${end}`));
  if (whole >= threshold && !inputs.some((one) => one.alarm)) {
    found.push(alarm("The inputs together have changed, though no single one enough to be named."));
  }
  for (const one of inputs.filter((one) => !one.alarm && one.absent > span.now.limits.nulls)) {
    found.push(warn(`Input “${one.name}” is empty in ${show.share(one.absent)} of the rows, usually ${show.share(one.usualAbsent)}.`));
  }
  for (const [what, name] of [["input", "model_drift_warning"], ["answer", "model_prediction_drift_warning"]]) {
    const reasons = span.now.rows(name).filter(({ value }) => value === 1).map(({ reason }) => reason);
    for (const reason of new Set(reasons)) found.push(warn(WARNED[reason]?.(what) ?? words(reason)));
  }
  for (const { output } of span.now.rows("model_prediction_reference_rows").filter(({ value }) => value === 0)) {
    found.push(unknown(`Whether the model’s ${output} has changed is not known: its first answers are still gathered.`));
  }
  return found;
}

const WHY_UNKNOWN = {
  no_labels: (window) => unknown(`How good the predictions are is not known: no label came within ${window}.`),
  too_few: (window) => unknown(`How good the predictions are is not known: too few labels came within ${window}.`),
  no_predictions: (window) => unknown(`How good the predictions are is not known: there were none within ${window}.`),
  unknown: () => alarm("How good the predictions are is not known: the monitor cannot read its store."),
};

function quality(now) {
  const states = now.rows("model_quality_state").filter(({ value, version }) => value === 1 && version === now.version);
  if (!states.length) return [unknown("How good the predictions are is not known: this monitor is given no labels.")];
  const found = states.filter(({ state }) => state !== "known").map(({ state, window }) => WHY_UNKNOWN[state]?.(window));
  const check = now.rows("model_accuracy_check_state").find(({ value }) => value === 1)?.verdict;
  if (check === "below") found.push(alarm("The last check of the model’s quality was on the wrong side of its threshold."));
  if (check === "cannot_tell") found.push(unknown("The last check of the model’s quality could not tell: too few labels."));
  return found.filter(Boolean);
}

function monitorItself(span, time) {
  const found = [];
  if (span.now.own("model_process_up") === 0) found.push(alarm("The model’s process has ended."));
  if (span.now.own("model_truth_store_up") === 0) found.push(warn("The store of predictions and labels does not work."));
  const lost = [["errors", "failed to account for something"], ["dropped", "left requests uncounted"]];
  for (const [name, what] of lost) {
    const times = span.count(`model_monitor_${name}_total`);
    if (times > 0) found.push(warn(`The monitor ${what} ${plural(times, "time")} ${time}: figures may be too low.`));
  }
  const unwritten = (span.count("model_monitor_log_lines_total", "failed") ?? 0) + (span.count("model_monitor_log_lines_total", "dropped") ?? 0);
  if (unwritten > 0) found.push(warn(`${plural(unwritten, "line")} of the prediction log were lost ${time}.`));
  return found;
}

const ORDER = ["alarm", "warn", "unknown"];

/** Everything, the worst first. */
function attention(span) {
  const time = `in the last ${show.seconds(Math.round(span.seconds ?? 0))}`;
  const found = [...traffic(span, time), ...drift(span), ...quality(span.now), ...monitorItself(span, time)];
  return found.sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
}
