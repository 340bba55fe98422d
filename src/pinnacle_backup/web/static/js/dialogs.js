// Opens and closes <dialog>; data-with of the opener fills the slots and the form's address.
import { all, on } from "./dom.js";

on("click", "[data-open]", (opener, event) => {
  const dialog = document.getElementById(opener.dataset.open);
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  fill(dialog, JSON.parse(opener.dataset.with || "{}"));
  dialog.showModal();
  /** @type {any} */ (dialog.querySelector(":checked, .field input, .dialog-foot button"))?.focus();
});
on("click", "[data-close]", (button) => button.closest("dialog").close());
on("click", "dialog", (dialog, { target }) => {
  if (target === dialog && !dialog.querySelector('[aria-busy="true"]') && !("strict" in dialog.dataset)) dialog.close();
});

/** @param {HTMLElement} dialog @param {Record<string, string>} values */
function fill(dialog, values) {
  for (const form of all("form[data-api-template]", dialog)) {
    form.reset();
    form.dataset.api = form.dataset.apiTemplate.replace(/\{(\w+)\}/g, (/** @type {any} */ _, /** @type {string} */ key) =>
      encodeURIComponent(values[key] ?? ""));
  }
  for (const slot of all("[data-slot]", dialog)) {
    slot["value" in slot ? "value" : "textContent"] = values[slot.dataset.slot] ?? "";
  }
  for (const input of all("[data-must-equal-slot]", dialog)) {
    input.dataset.mustEqual = values[input.dataset.mustEqualSlot];
  }
}

// A link from another page opens it, too: "/backups?create".
if (location.search === "?create") all('[data-open="create"]')[0]?.click();
