// Asks the monitor every second while somebody looks, keeps five minutes, and says when no answer comes.

const EVERY_MS = 1000;
const PATIENCE_MS = 5000;
const KEPT_S = 305;

const source = document.body.dataset.source;
const main = document.getElementById("main");
const state = document.getElementById("state");
const windowOf = document.getElementById("window");
const name = document.querySelector("h1").firstChild.data;

let history_ = [];
let lastAnswer = null; // by this browser's clock, for whoever reads it
let restarted = null;
const chosen = {};

/** The span of the last so many seconds, as far as they are known; null asks for all time. */
function spanOf(seconds) {
  const now = history_.at(-1);
  if (seconds === null) return new Span(now, undefined);
  return new Span(now, history_.find((one) => now.steady_s - one.steady_s <= seconds + 0.5));
}

function draw() {
  if (!history_.length) return;
  const items = attention(spanOf(300));
  const scene = {
    span: spanOf(windowOf.value === "start" ? null : Number(windowOf.value)), history: history_, attention: items, chosen,
    filter: document.getElementById("filter")?.value ?? "", width: Math.max(280, main.clientWidth - 34),
  };
  const view = location.hash === "#product" ? "product" : "engineers";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const fresh = el("main", { id: "main", tabindex: "-1" }, ...(view === "product" ? product : engineers)(scene));
  morph(main, fresh);
  document.getElementById("shown").textContent = 
    scene.span.before && scene.span.seconds < 0.97 * Number(windowOf.value) ? ` (${show.seconds(Math.round(scene.span.seconds))} so far)` : "";
  document.getElementById("version").textContent = ` version ${history_.at(-1).version}`;
  const alarms = items.filter(({ level }) => level === "alarm").length;
  document.title = `${alarms ? `(${alarms} alarm${alarms > 1 ? "s" : ""}) ` : ""}${name} · monitor`;
}

function say(text, level) {
  if (state.textContent !== text) state.textContent = text;
  document.body.className = level;
}

function take(json) {
  const now = new Reading(json);
  const last = history_.at(-1);
  if (last && last.instance !== now.instance) {
    restarted = clock(Date.now() / 1000);
    history_ = [];
  }
  if (last?.steady_s !== now.steady_s) history_ = [...history_.filter((one) => now.steady_s - one.steady_s <= KEPT_S), now];
  lastAnswer = Date.now() / 1000;
}

/** What the monitor answers; undefined if it does not, which is then said. */
async function ask() {
  try {
    const answer = await fetch(source, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`the answer was ${answer.status}`);
    return await answer.json();
  } catch (error) {
    if (lastAnswer === null) say(`The monitor does not answer (${error.message}).`, "lost");
    else say(`No answer from the monitor since ${clock(lastAnswer)}. What is shown is of then.`, "lost");
    return undefined;
  }
}

/** Show an answer. What fails in that is a fault of this page, and says nothing of the monitor. */
function renew(json) {
  try {
    take(json);
    draw();
    say(`Live.${restarted ? ` The monitor was restarted at ${restarted}.` : ""}`, "live");
  } catch (error) {
    console.error(error);
    const fault = `this page fails to show it (${error.message}): a fault of the page, not of the model`;
    say(`The monitor answers, but ${fault}. What is shown may be old.`, "faulty");
  }
}

async function watch() {
  if (document.visibilityState === "visible") {
    const answer = await ask();
    if (answer !== undefined) renew(answer);
  }
  setTimeout(watch, EVERY_MS);
}

windowOf.addEventListener("change", draw);
window.addEventListener("hashchange", draw);
window.addEventListener("resize", draw);
main.addEventListener("input", draw);
main.addEventListener("click", (event) => {
  if (event.target.id === "all") {
    chosen.all = !chosen.all;
    draw();
  }
  const mark = event.target.closest("button[data-column]")?.dataset.column;
  if (mark === undefined) return;
  chosen[mark.slice(0, mark.indexOf("/"))] = mark;
  draw();
  event.target.closest("section").querySelector(".cells").scrollIntoView({ block: "nearest" });
});
watch();
