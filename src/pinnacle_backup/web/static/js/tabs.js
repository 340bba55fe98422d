// Tabs as WAI-ARIA describes them: arrows, Home and End move; the address remembers.
import { all, on } from "./dom.js";

const TAB = '[role="tab"][aria-controls]';
/** @param {any} tab */
const panel = (tab) => tab.getAttribute("aria-controls");

/** @param {any} tab */
function choose(tab) {
  for (const other of all(TAB, tab.parentElement)) {
    other.ariaSelected = String(other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    document.getElementById(panel(other))?.toggleAttribute("data-open", other === tab);
  }
}

on("click", TAB, (tab) => {
  choose(tab);
  history.replaceState(null, "", `#${panel(tab)}`);
});
on("keydown", TAB, (tab, event) => {
  const tabs = all(TAB, tab.parentElement);
  const place = tabs.indexOf(tab);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 }[/** @type {string} */ (event.key)];
  if (next === undefined) return;
  event.preventDefault();
  const other = tabs.at(next % tabs.length);
  other?.focus();
  other?.click();
});
all(TAB).filter((tab) => `#${panel(tab)}` === location.hash).forEach(choose);
