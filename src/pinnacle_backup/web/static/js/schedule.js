// Shows while one types what a cron expression means: [data-cron] names the place of its words and next times.
import { api, Problem } from "./api.js";
import { all, make, on } from "./dom.js";

/** @type {Map<Element, {timer?: ReturnType<typeof setTimeout>, asking?: AbortController}>} */
const pending = new Map();

/** @param {HTMLInputElement} field @param {number} [wait] */
function look(field, wait = 250) {
  const state = pending.get(field) || {};
  clearTimeout(state.timer);
  state.asking?.abort();
  state.timer = setTimeout(() => show(field, (state.asking = new AbortController()).signal), wait);
  pending.set(field, state);
}

/** @param {HTMLInputElement} field @param {AbortSignal} signal */
async function show(field, signal) {
  const place = /** @type {HTMLElement} */ (document.getElementById(field.dataset.cron || ""));
  const error = /** @type {HTMLElement} */ (field.form?.querySelector('[data-error-for="cron"]'));
  place.hidden = !field.value.trim();
  error.textContent = "";
  field.ariaInvalid = null;
  if (place.hidden) return;
  const refuse = (/** @type {string} */ fault) => {
    place.hidden = true;
    field.ariaInvalid = "true";
    error.textContent = fault;
  };
  try {
    const { json } = await api(`/api/v1/schedule/preview?cron=${encodeURIComponent(field.value)}`, { signal });
    if (json.fault) return refuse(json.fault);
    const times = json.upcoming.map((/** @type {{start: string, words: string}} */ { start, words }) =>
      make("li", {}, make("time", { datetime: start }, words)));
    place.replaceChildren(make("div", {}, make("strong", {}, json.words), make("ol", {}, ...times)));
  } catch (problem) {
    if (!signal.aborted) refuse(problem instanceof Problem ? problem.message : String(problem));
  }
}

on("input", "[data-cron]", (field) => look(field));
on("click", "[data-open]", (opener) => {
  const dialog = document.getElementById(opener.dataset.open);
  if (dialog) for (const field of all("[data-cron]", dialog)) look(field, 0);
});
