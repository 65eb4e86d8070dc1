// Elements and drawings. All text goes in as text: a name that looks like markup is shown as it is.

const SVG = "http://www.w3.org/2000/svg";

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
const el = (tag, attributes = {}, ...children) => make(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => make(document.createElementNS(SVG, tag), attributes, children);

/** Make what is on the page equal to what was built, touching only what differs: focus and selection stay. */
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [had, wanted] = [[...old.childNodes], [...fresh.childNodes]];
  wanted.forEach((child, at) => (at < had.length ? morph(had[at], child) : old.append(child)));
  had.slice(wanted.length).forEach((child) => child.remove());
}

const section = (title, ...children) => {
  const id = `s-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), ...children);
};
const wide = (title, ...children) => make(section(title, ...children), { class: "wide" }, []);

const tile = (label, value, note = null, chart = null, level = null) =>
  el("div", { class: level ? `tile ${level}` : "tile" },
    el("dt", {}, label), el("dd", {}, el("b", {}, value), note ? el("span", {}, note) : null, chart));

/** A table; a row is a list of cells, or {cells, ...attributes}; a cell is text or an element. */
function table(caption, heads, rows, attributes = {}) {
  const body = rows.map((row) => {
    const { cells = row, ...more } = Array.isArray(row) ? {} : row;
    return el("tr", more, ...cells.map((cell, at) =>
      at === 0 ? el("th", { scope: "row" }, cell) : el("td", { "data-label": heads[at] }, cell)));
  });
  return el("table", attributes, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...body));
}

/** A bar from 0 to a limit, which is marked; what it says is in the text beside it. */
function meter(ratio, level) {
  const width = Math.max(0, Math.min(ratio ?? 0, 1.25)) * 80;
  return svg("svg", { class: `meter ${level}`, viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", width: 100, height: 10 }), svg("rect", { class: "fill", width, height: 10 }),
    svg("rect", { class: "mark", x: 79.5, width: 1, height: 10 }));
}

/** The share of a cell beside that of the reference, both of the widest. */
function pairOfBars(share, usual, most) {
  const width = (x) => (most ? (100 * (x ?? 0)) / most : 0);
  return svg("svg", { class: "pair", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "now", width: width(share), height: 7 }),
    svg("rect", { class: "usual", y: 8, width: width(usual), height: 4 }));
}

/** A line over time; points are [seconds before now, number or null]; a null leaves a gap. */
function line(points, label, write, { width = 160, height = 36, axes = false } = {}) {
  const span = Math.max(60, ...points.map(([ago]) => ago));
  const known = points.map(([, y]) => y).filter(isNumber);
  const said = known.length
    ? `${label}: now ${write(points.at(-1)?.[1])}, least ${write(Math.min(...known))}, most ${write(Math.max(...known))}`
    : `${label}: nothing yet`;
  const [left, foot, top] = axes ? [52, 18, 8] : [1, 2, 2];
  const most = Math.max(...known, 0) || 1;
  const x = (ago) => left + (1 - ago / span) * (width - left - 4);
  const y = (value) => height - foot - (value / most) * (height - foot - top);
  const runs = [[]];
  for (const [ago, value] of points) {
    if (isNumber(value)) runs.at(-1).push(`${x(ago).toFixed(1)},${y(value).toFixed(1)}`);
    else if (runs.at(-1).length) runs.push([]);
  }
  const text = (at, high, anchor, what) => svg("text", { x: at, y: high, "text-anchor": anchor }, what);
  return svg("svg", { class: "line", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": said },
    svg("path", { class: "axis", d: `M${left} ${y(0)}H${width}` }),
    axes && svg("path", { class: "grid", d: `M${left} ${y(most)}H${width}M${left} ${y(most / 2)}H${width}` }),
    ...runs.filter((run) => run.length).map((run) =>
      svg("polyline", { points: run.length > 1 ? run.join(" ") : `${run[0]} ${run[0]}` })),
    ...(axes ? [text(left - 6, y(most) + 4, "end", write(most)), text(left - 6, y(0) + 4, "end", write(0)),
      text(left, height - 3, "start", `${show.seconds(Math.round(span))} ago`), text(width, height - 3, "end", "now")] : []));
}

/** Answers by how long they took, with the quantiles marked where they fall. */
function histogram(all, marks, width) {
  const last = all.findLastIndex(([, count]) => count > 0);
  const buckets = all.slice(0, Math.max(last + 2, 8)); // slower ones are all empty
  const [height, left, foot, top] = [190, 8, 34, 30];
  const most = Math.max(...buckets.map(([, count]) => count), 1);
  const step = (width - left) / buckets.length;
  const base = height - foot;
  const name = (edge) => (edge === Infinity ? "more" : show.seconds(edge).replace(" ", ""));
  const place = (value) => {
    const at = buckets.findIndex(([edge]) => value <= edge);
    const [low, edge] = [at ? buckets[at - 1][0] : 0, buckets[at][0]];
    return left + step * (at + (edge === Infinity ? 0.5 : (value - low) / (edge - low)));
  };
  const every = Math.ceil(46 / step);
  const said = marks.map(([label, value]) => `${label} ${show.seconds(value)}`).join(", ");
  const drawn = marks.filter(([, value]) => value !== null).map(([label, value], at) => {
    const x = place(value);
    const end = x > width - 90;
    return svg("g", { class: "mark" }, svg("path", { d: `M${x} ${top - 18 + 10 * at}V${base}` }),
      svg("text", { x: end ? x - 3 : x + 3, y: top - 20 + 10 * at + 8, "text-anchor": end ? "end" : "start" }, label));
  });
  return svg("svg", { class: "histogram", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `Answers by latency. ${said}` },
    ...buckets.map(([, count], at) => {
      const high = count > 0 ? Math.max((count / most) * (base - top), 1) : 0;
      return svg("rect", { x: left + at * step + 1, y: base - high, width: Math.max(step - 2, 1), height: high });
    }),
    svg("path", { class: "axis", d: `M${left} ${base}H${width}` }),
    ...buckets.flatMap(([edge], at) => at % every === every - 1 || edge === Infinity && every === 1
      ? [svg("text", { x: left + (at + 1) * step, y: base + 13, "text-anchor": "end" }, name(edge))] : []),
    svg("text", { x: width, y: height - 4, "text-anchor": "end" }, "the client waited up to"), ...drawn);
}
