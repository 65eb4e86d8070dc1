"use strict";
// Figures from the monitor's numbers. A number that is not known is null, and is shown as "–", never as 0.

/** One answer of the monitor: its metrics, as nested objects by the values of their labels. */
class Reading {
  constructor(json) {
    Object.assign(this, json);
  }
  /** What stands at some label values of a metric: a number, an object of them, or undefined. */
  at(name, ...path) {
    let node = this.metrics[name]?.values;
    for (const key of path) {
      if (node === null || typeof node !== "object" || !Object.hasOwn(node, key)) return undefined;
      node = node[key];
    }
    return node;
  }
  /** The same of the version that this monitor was started for, which most metrics have alone. */
  own(name, ...path) {
    return this.at(name, this.version, ...path);
  }
  keys(name, ...path) {
    return Object.keys(this.own(name, ...path) ?? {});
  }
  /** Every series of a metric: the values of its labels, and its number. */
  rows(name) {
    const metric = this.metrics[name];
    const walk = (node, labels) =>
      labels.length === metric.labels.length
        ? [{ ...Object.fromEntries(metric.labels.map((label, at) => [label, labels[at]])), value: node }]
        : Object.entries(node).flatMap(([key, below]) => walk(below, [...labels, key]));
    return metric ? walk(metric.values, []) : [];
  }
}

/** What was counted between two readings; without an earlier one, since the monitor's start. */
class Span {
  constructor(now, before) {
    this.now = now;
    this.before = before;
    const started = now.at("process_start_time_seconds");
    this.seconds = before ? now.steady_s - before.steady_s : started === undefined ? null : now.at_s - started;
  }
  count(name, ...path) {
    const now = this.now.own(name, ...path);
    return typeof now !== "number" ? null : now - (this.before?.own(name, ...path) ?? 0);
  }
  counts(name, ...path) {
    return this.now.keys(name, ...path).map((key) => [key, this.count(name, ...path, key)]);
  }
  rate(name, ...path) {
    const count = this.count(name, ...path);
    return count === null || !this.seconds ? null : count / this.seconds;
  }
  sum(name, keep = () => true) {
    const found = this.counts(name).filter(([key]) => keep(key));
    return found.length ? found.reduce((total, [, count]) => total + count, 0) : null;
  }
  /** Answers in each bucket of a histogram: [upper edge, count], the last edge Infinity. */
  buckets(name, ...path) {
    const below = this.counts(`${name}_bucket`, ...path);
    return below.map(([le, count], at) => [le === "+Inf" ? Infinity : Number(le), count - (at ? below[at - 1][1] : 0)]);
  }
}

/** A quantile of buckets, straight lines within each, as histogram_quantile has it; null if there is nothing in them. */
function quantile(q, buckets) {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (!(total > 0)) return null;
  let below = 0;
  for (let at = 0; at < buckets.length; at++) {
    const [edge, count] = buckets[at];
    if (below + count >= q * total && count > 0) {
      const low = at ? buckets[at - 1][0] : 0;
      return edge === Infinity ? Infinity : low + ((edge - low) * (q * total - below)) / count;
    }
    below += count;
  }
  return null;
}

/** The edge of a histogram's bucket that a share of it does not exceed; null if there is nothing in it. */
function atMost(q, buckets) {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  return total > 0 ? buckets.find(([, count]) => (below += count) >= q * total)[0] : null;
}

const ABSENT = ["null", "missing"];
const STRANGE = ["below", "above", "unseen", "type_error"];

/** Where the metrics of inputs and of answers differ in name alone. */
const INPUTS = { of: "model_feature", evidence: "model_drift_evidence", threshold: "model_drift_threshold" };
const ANSWERS = {
  of: "model_prediction",
  evidence: "model_prediction_drift_evidence",
  threshold: "model_prediction_drift_threshold",
};

/** Shares of the cells as the reference's rows have them; the exported ones are drawn in from 0 by half a row a cell. */
function referenceOf(now, kind, name) {
  const shares = Object.entries(now.own(`${kind.of}_reference_share`, name) ?? {});
  const rows = now.own(`${kind.of}_reference_rows`, name);
  return Object.fromEntries(shares.map(([cell, share]) =>
    [cell, rows ? Math.round(share * (rows + 0.5 * shares.length) - 0.5) / rows : share]));
}

/** All that is known of one input or answer, in the span and in the reference. */
function columnOf(span, kind, name) {
  const own = (metric) => span.now.own(metric, name) ?? null;
  const cells = span.counts(`${kind.of}_values_total`, name);
  const total = cells.reduce((sum, [, count]) => sum + count, 0);
  const reference = referenceOf(span.now, kind, name);
  const shareOf = (names) =>
    total ? cells.filter(([cell]) => names.includes(cell)).reduce((sum, [, count]) => sum + count, 0) / total : null;
  const usualOf = (names) => names.reduce((sum, cell) => sum + (reference[cell] ?? 0), 0);
  const n = span.count(`${kind.of}_count`, name);
  const mean = n > 0 ? span.count(`${kind.of}_sum`, name) / n : null;
  const variance = n > 0 ? span.count(`${kind.of}_sum_squares`, name) / n - mean * mean : null;
  const exact = variance !== null && variance > 1e-9 * mean * mean; // else the digits cancel
  const [evidence, threshold] = [own(kind.evidence), own(kind.threshold)];
  const [usualMean, usualSd] = [own(`${kind.of}_reference_mean`), own(`${kind.of}_reference_sd`)];
  return {
    name, kind, total, n, mean, usualMean, usualSd, evidence, threshold,
    numeric: usualMean !== null || (kind === ANSWERS && name === "score"),
    sd: exact ? Math.sqrt(variance) : null,
    shift: mean !== null && usualSd > 0 ? (mean - usualMean) / usualSd : null,
    absent: shareOf(ABSENT), usualAbsent: usualOf(ABSENT),
    strange: shareOf(STRANGE), usualStrange: usualOf(STRANGE),
    ratio: evidence === null || !threshold ? null : evidence / threshold,
    alarm: evidence !== null && threshold !== null && evidence >= threshold,
    cells: cells.map(([cell, count]) => ({ cell, share: total ? count / total : null, usual: reference[cell] ?? null })),
  };
}

/** Inputs as the schema has them, answers by output; what alarms comes first, the strongest on top. */
function columnsOf(span, kind) {
  const columns = span.now.keys(`${kind.of}_values_total`).map((name) => columnOf(span, kind, name));
  return columns.sort((a, b) => b.alarm - a.alarm || (a.alarm ? b.ratio - a.ratio : 0));
}

// how figures are written

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const isNumber = (x) => typeof x === "number" && !Number.isNaN(x);
const written = (write) => (x, ...more) => (isNumber(x) ? write(x, ...more) : "–");
const clock = (at_s) => new Date(at_s * 1000).toLocaleTimeString("en-GB");

const show = {
  count: written((x) => grouped.format(x)),
  rate: written((x) => `${x >= 100 ? grouped.format(x) : x.toFixed(x === 0 || x >= 9.95 ? 0 : 1)}/s`),
  cores: written((x) => `${Number(x.toPrecision(2))} cores`),
  percent: written((x) => `${(100 * x).toFixed(1)}%`),
  share: written((x) => `${(100 * x).toFixed(x > 0 && x < 0.0995 ? (x < 0.00995 ? 2 : 1) : 0)}%`),
  number: written((x) => {
    const size = Math.abs(x);
    if (size !== 0 && (size < 1e-3 || size >= 1e7)) return x.toExponential(2);
    return size >= 1000 ? grouped.format(x) : String(Number(x.toPrecision(4)));
  }),
  seconds: written((x) => {
    if (x === Infinity) return "longer than the highest bucket";
    if (x < 1) return `${Number((1000 * x).toPrecision(x < 0.01 ? 2 : 3))} ms`;
    if (x < 120) return `${x < 10 ? Number(x.toPrecision(3)) : Math.round(x)} s`;
    return x < 7200 ? `${Math.round(x / 60)} min` : x < 172800 ? `${Math.round(x / 3600)} h` : `${Math.round(x / 86400)} days`;
  }),
  bytes: written((x) => {
    const power = x < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(x) / 10));
    return `${Number((x / 1024 ** power).toPrecision(3))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
  }),
  sds: written((x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)} sd`),
};

const words = (name) => name.replaceAll("_", " ");
const plural = (n, one, many = `${one}s`) => `${show.count(n)} ${n === 1 ? one : many}`;
