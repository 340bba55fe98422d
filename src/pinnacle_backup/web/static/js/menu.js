// Menus are <details>: they close when one leaves them, and arrows walk through them.
import { all, on } from "./dom.js";

const OPEN = "details.menu[open]";
const ITEMS = ".menu-list :is(a, button)";

document.addEventListener("click", ({ target }) => {
  const inside = /** @type {Element} */ (target).closest(ITEMS) ? null : /** @type {Node} */ (target);
  for (const menu of all(OPEN)) if (!menu.contains(inside)) menu.removeAttribute("open");
});
on("keydown", OPEN, (menu, event) => {
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[/** @type {string} */ (event.key)];
  if (!step) return;
  event.preventDefault();
  const items = all(ITEMS, menu);
  const place = items.indexOf(document.activeElement);
  items.at((place < 0 && step < 0 ? -1 : place + step) % items.length).focus();
});
on("focusout", OPEN, (menu, { relatedTarget }) => {
  if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
});
