// Settings: what was changed is checked while one types, shown as a difference, and saved as a whole.
import { api, Problem } from "./api.js";
import { all, make, on } from "./dom.js";
import { toastNext } from "./toast.js";

/** @typedef {{path: string, before: any, after: any}} Change */

const [form] = all("form[data-settings]");
const [save] = all("form[data-save-settings]");
const [status] = all("[data-changed]");
const buttons = all(".form-foot button");
const dialog = save.closest("dialog");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let asked = 0;

/** @type {Record<string, (field: any) => any>} */
const READ = {
  boolean: (field) => field.checked,
  number: (field) => (field.value === "" ? null : Number(field.value)),
  list: (field) => lines(field.value),
  json: (field) => json(field.value),
  secrets: (field) => lines(field.value),
  secret: (field) => field.value,
  text: (field) => field.value || (field.dataset.nullable ? null : ""),
};

/** @param {string} text */
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** @param {string} text */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the server says what is wrong
  }
}

/** Returns what differs from what is in force, by path. */
function changes() {
  /** @type {Record<string, any>} */
  const found = {};
  for (const field of all("[data-path]:enabled", form)) {
    const value = READ[field.dataset.kind](field);
    const isSecret = field.dataset.kind.startsWith("secret");
    const cleared = isSecret && all(`[data-clear="${field.dataset.path}"]`, form).some((box) => box.checked);
    if (cleared) found[field.dataset.path] = null;
    else if (isSecret ? value.length : JSON.stringify(value) !== JSON.stringify(JSON.parse(field.dataset.value))) {
      found[field.dataset.path] = value;
    }
  }
  return found;
}

/** @param {{field: string, message: string}[]} errors */
function mark(errors) {
  for (const place of all("[data-error-for]", form)) place.textContent = "";
  for (const field of all("[aria-invalid]", form)) field.ariaInvalid = null;
  const rest = [];
  for (const { field, message } of errors) {
    const [place] = all(`[data-error-for="${CSS.escape(field)}"]`, form);
    const [input] = all(`[data-path="${CSS.escape(field)}"]`, form);
    if (place) place.textContent = message;
    else rest.push(`${field}: ${message}`);
    if (input) input.ariaInvalid = "true";
  }
  return rest;
}

async function check() {
  const mine = ++asked;
  const wanted = changes();
  const { json: found } = await api("/api/v1/settings/check", { method: "POST", body: wanted });
  if (mine !== asked) return null;
  const rest = mark(found.errors);
  const count = found.changes.length;
  const fault = rest[0] || (found.errors.length ? "Something is not right yet" : "");
  status.textContent = fault || (count ? `${count} ${count === 1 ? "change" : "changes"}, not saved yet` : "Nothing changed");
  buttons[0].disabled = !count && !found.errors.length;
  buttons[1].disabled = !count || found.errors.length > 0;
  return { wanted, found };
}

/** Checks, or says why that is not possible: nobody is logged in any more, or the server has ended. */
const look = () =>
  check().catch((error) => {
    status.textContent = error.message;
    buttons[1].disabled = true;
    return null;
  });

/** @param {any} value */
const words = (value) =>
  value && typeof value === "object" && "set" in value ? (value.set ? "(set, not shown)" : "(not set)") : JSON.stringify(value);

/** @param {Change} change */
const line = ({ path, before, after }) => [
  make("li", {}, make("strong", { class: "path" }, path)),
  make("li", { class: "split" }, make("span", { class: "sign bad" }, "−"), make("span", { class: "path" }, words(before))),
  make("li", { class: "split" }, make("span", { class: "sign good" }, "+"), make("span", { class: "path" }, words(after))),
];

all('.tabs [aria-current="page"]')[0]?.scrollIntoView({ inline: "center", block: "nearest" });
on("input", "form[data-settings]", () => {
  clearTimeout(timer);
  timer = setTimeout(look, 250);
});
on("reset", "form[data-settings]", () => setTimeout(look));
on("submit", "form[data-settings]", async (_, event) => {
  event.preventDefault();
  const checked = await look();
  if (!checked || buttons[1].disabled) return;
  all("[data-diff]")[0].replaceChildren(...checked.found.changes.flatMap(line));
  const [own] = all("[data-own]");
  own.hidden = !checked.found.sensitive;
  save.elements.own_password.required = checked.found.sensitive;
  dialog.showModal();
});
on("submit", "form[data-save-settings]", async (_, event) => {
  event.preventDefault();
  const password = save.elements.own_password.value;
  const places = all("[data-problem], [data-error-for]", save);
  for (const place of places) place.replaceChildren();
  event.submitter.ariaBusy = "true";
  try {
    await api("/api/v1/settings", { method: "PUT", body: { ...changes(), ...(password && { own_password: password }) } });
    toastNext("Saved");
    location.reload();
  } catch (error) {
    event.submitter.ariaBusy = null;
    const problem = /** @type {Problem} */ (error);
    const [own] = problem.errors?.filter(({ field }) => field === "own_password") || [];
    const rest = mark((problem.errors || []).filter((each) => each !== own));
    if (own) places[1].textContent = own.message;
    else places[0].replaceChildren(make("div", { class: "callout bad" }, [problem.message, ...rest].join(" ")));
  }
});
