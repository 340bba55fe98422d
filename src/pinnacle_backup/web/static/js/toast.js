// Short messages in a corner; they wait for the next page where one follows.
import { icon, make, on, stored } from "./dom.js";

/**
 * Shows a message; one of tone `bad` stays until it is closed.
 * @param {string} text @param {{tone?: "good" | "warn" | "bad", hint?: string}} [options]
 */
export function toast(text, { tone = "good", hint = "" } = {}) {
  const region = document.getElementById("toasts");
  const close = make("button", { class: "button ghost small square", "aria-label": "Close", "data-drop": "" }, icon("cross"));
  const words = make("div", {}, make("p", {}, text), ...(hint ? [make("p", {}, hint)] : []));
  const message = make("div", { class: `toast split ${tone}` }, icon(tone === "good" ? "check" : "warning"), words, close);
  region?.append(message);
  region?.hidePopover(); // shown anew it lies above a dialog
  region?.showPopover();
  if (tone !== "bad") setTimeout(() => message.matches(":hover, :focus-within") || message.remove(), 7000);
}

/** Shows a message on the page that comes next. @param {string} text */
export const toastNext = (text) => stored(() => sessionStorage.setItem("toast", text));

on("click", "[data-drop]", (button) => button.closest(".toast").remove());
const kept = stored(() => sessionStorage.getItem("toast"));
stored(() => sessionStorage.removeItem("toast"));
if (kept) toast(kept);
