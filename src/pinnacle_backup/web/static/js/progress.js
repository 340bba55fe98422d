// Live runs: fills [data-run] blocks and [data-run-log] from the stream of events.
import { all, make } from "./dom.js";
import { listen } from "./events.js";
import { duration, number, size } from "./words.js";

/**
 * @typedef {{id: number, outcome: string, phase?: string, bytes?: number, total_bytes?: number, items?: number,
 *   total_items?: number, path?: string, seconds?: number}} RunEvent
 * @typedef {{id: number, number: number, time: string, level: string, text: string}} LineEvent
 */
/** @type {Record<string, string>} */
const TONES = { warning: "warn", error: "bad" };
const ZONE = { timeZone: document.documentElement.dataset.zone };

/** @param {RunEvent} run */
function update(run) {
  const blocks = all(`[data-run="${run.id}"]`);
  const running = run.outcome === "running";
  const atWork = document.querySelector("dialog[open], form[aria-busy='true']"); // nothing typed or sent is lost
  if (running && !blocks.length && !atWork && document.querySelector("[data-runs-reload]")) location.reload();
  for (const block of blocks) {
    if (running) fill(block, run);
    else location.assign(block.dataset.done || location.href);
  }
}

/** @param {HTMLElement} block @param {RunEvent} run */
function fill(block, { phase: name = "", bytes = 0, total_bytes = 0, items = 0, total_items = 0, path = "", seconds = 0 }) {
  const byBytes = total_bytes || !total_items;
  const total = byBytes ? total_bytes : total_items;
  const share = total ? Math.min((byBytes ? bytes : items) / total, 1) : 0;
  const bar = block.querySelector("progress");
  if (total) bar?.setAttribute("value", String(share));
  else bar?.removeAttribute("value");
  const phase = JSON.parse(all("[data-words]", block)[0]?.dataset.words ?? "{}")[name] ?? name;
  const parts = {
    phase,
    path,
    percent: total ? `${Math.floor(100 * share)} %` : "",
    bytes: bytes ? size(bytes) + (total_bytes ? ` of ${size(total_bytes)}` : "") : "",
    items: items ? `${number(items)}${total_items ? ` of ${number(total_items)}` : ""} ${(total_items || items) === 1 ? "path" : "paths"}` : "",
    speed: bytes && seconds > 1 ? `${size(bytes / seconds)}/s` : "",
    left: share > 0.01 && seconds > 2 ? `about ${duration(seconds / share - seconds)} left` : "",
    spoken: total ? `${phase}, ${10 * Math.floor(10 * share)} percent` : phase, // each tenth, not each byte
  };
  for (const [part, words] of Object.entries(parts)) {
    const place = block.querySelector(`[data-part="${part}"]`);
    if (place && place.textContent !== words) place.textContent = words;
  }
}

/** @param {LineEvent} line */
function append(line) {
  for (const log of all(`[data-run-log="${line.id}"]`)) {
    if (line.number <= Number(log.dataset.last)) continue;
    log.dataset.last = String(line.number);
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const clock = make("time", { datetime: line.time }, new Date(line.time).toLocaleTimeString("en-GB", ZONE));
    log.append(make("li", { class: TONES[line.level] || "" }, clock, line.text));
    if (log.childElementCount > 2000) log.firstElementChild?.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

if (all("[data-run], [data-run-log], [data-runs-reload]").length) {
  listen("run", update);
  listen("run-line", append);
  listen("resync", () => location.reload());
}
