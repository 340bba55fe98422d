// Forms with data-api are sent as JSON; problems land beside their fields.
import { api, Problem } from "./api.js";
import { all, make, on } from "./dom.js";
import { toast, toastNext } from "./toast.js";

on("submit", "form[data-api]", async (form, event) => {
  event.preventDefault();
  if (form.ariaBusy) return;
  busy([form, event.submitter]);
  for (const place of all("[data-error-for], [data-problem]", form)) place.replaceChildren();
  for (const field of all("[aria-invalid]", form)) field.ariaInvalid = null;
  try {
    done(form, await api(form.dataset.api, { method: form.dataset.method || "POST", body: values(form, event.submitter) }));
  } catch (error) {
    busy([form, event.submitter], null);
    const problem = error instanceof Problem ? error : new Problem(0, { detail: String(error) });
    const refused = new CustomEvent("refused", { bubbles: true, cancelable: true, detail: problem });
    if (form.dispatchEvent(refused)) show(form, problem); // else the page shows it in its own way
  }
});

/** @param {(Element | null)[]} elements @param {string | null} is */
const busy = (elements, is = "true") => elements.forEach((element) => element && (element.ariaBusy = is));

/**
 * Returns the fields as JSON. Dots in names nest; data-type: `number`, `list` (a line each), `array` (boxes of
 * one name); empty fields are null unless data-empty="keep".
 * @param {HTMLFormElement} form @param {HTMLButtonElement | null} [button]
 */
function values(form, button) {
  /** @type {Record<string, any>} */
  const body = {};
  for (const field of /** @type {any[]} */ ([...form.elements, ...(button ? [button] : [])])) {
    const other = field.type === "button" || (field.type === "submit" && field !== button);
    if (!field.name || field.disabled || other || (field.type === "radio" && !field.checked)) continue;
    const path = field.name.split(".");
    const last = path.pop();
    const place = path.reduce((/** @type {any} */ at, /** @type {string} */ part) => (at[part] ??= {}), body);
    place[last] = value(field, place[last]);
  }
  return body;
}

/** @param {any} field @param {any} before */
function value(field, before = []) {
  const type = field.dataset.type || field.type;
  if (type === "array") return field.checked ? [...before, field.value] : before;
  if (type === "checkbox") return field.checked;
  if (type === "list") return field.value.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean);
  if (field.value === "" && field.dataset.empty !== "keep") return null;
  return type === "number" ? Number(field.value) : field.value;
}

/** @param {HTMLFormElement} form @param {{location: string, json: any}} answer */
function done(form, answer) {
  const { done: then = "reload", toast: words } = form.dataset;
  form.dispatchEvent(new CustomEvent("sent", { bubbles: true, detail: answer.json }));
  if (then === "stay" || then === "close") {
    busy([form, ...all("[aria-busy]", form)], null);
    if (then === "close") form.closest("dialog")?.close();
    return words && toast(words);
  }
  if (words) toastNext(words);
  if (then === "reload") location.reload();
  else location.assign(then === "follow" ? answer.json.href || answer.location : then);
}

/** @param {HTMLFormElement} form @param {Problem} problem */
function show(form, problem) {
  const rest = [];
  for (const { field, message } of problem.errors) {
    const place = form.querySelector(`[data-error-for="${CSS.escape(field)}"]`);
    if (!place) rest.push(`${field}: ${message}`);
    else {
      place.textContent = message;
      const input = form.elements.namedItem(field);
      if (input instanceof Element) input.ariaInvalid = "true";
    }
  }
  const [first] = all('[aria-invalid="true"]', form);
  first?.focus();
  if (first && !rest.length) return;
  const lines = [problem.message, ...rest, problem.hint].filter((line) => line && line !== problem.title);
  const place = form.querySelector("[data-problem]");
  if (!place) return toast(problem.title, { tone: "bad", hint: lines.join(" ") });
  const words = problem.status === 401 ? loginAgain() : make("div", {}, make("strong", {}, problem.title), ...lines.map((line) => make("p", {}, line)));
  place.replaceChildren(make("div", { class: "callout bad" }, words));
  place.scrollIntoView({ block: "nearest" });
}

/** What was typed stays: one logs in beside it, and sends it again. */
const loginAgain = () =>
  make("div", {}, make("strong", {}, "Your login has ended"),
    make("p", {}, make("a", { href: "/login", target: "_blank" }, "Log in again"), " in another tab, then send this once more: what you typed is still here."));

on("input", "[data-must-equal]", (input) => {
  input.form.querySelector("[data-needs-confirmation]").disabled = input.value.trim() !== input.dataset.mustEqual;
});
on("click", "[data-reveal]", (button) => {
  const input = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.reveal));
  input.type = input.type === "password" ? "text" : "password";
  button.ariaPressed = String(input.type === "text");
});
addEventListener("pageshow", ({ persisted }) => persisted && busy(all("[aria-busy]"), null));
