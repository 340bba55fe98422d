// Shows what belongs to a choice, and sends nothing of what does not: data-when="name=value".
import { all, on } from "./dom.js";

/** @param {HTMLFormElement} form */
function show(form) {
  for (const part of all("[data-when]", form)) {
    const [name, value] = part.dataset.when.split("=");
    const chosen = /** @type {RadioNodeList} */ (form.elements.namedItem(name)).value === value;
    part.hidden = !chosen;
    for (const field of all("input, textarea", part)) field.disabled = !chosen;
  }
}

on("change", "form input[type=radio]", (input) => show(input.form));
for (const part of all("[data-when]")) show(part.closest("form"));
addEventListener("pageshow", () => all("[data-when]").forEach((part) => show(part.closest("form"))));
