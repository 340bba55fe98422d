// Filters, sorts and picks rows that are all in the page, without moving the columns.
import { all, make, on } from "./dom.js";

const order = new Intl.Collator("en", { numeric: true });

/** @type {(table: any) => any[]} */
const rows = (table) => all("tbody tr:not(.no-match)", table);

/** Columns keep their shares whatever is hidden. @param {any} table */
function freeze(table) {
  if (getComputedStyle(table).display !== "table") return;
  const heads = all("thead th", table);
  const widths = heads.map((head) => (100 * head.offsetWidth) / table.offsetWidth);
  heads.forEach((head, place) => (head.style.width ||= `${widths[place]}%`));
}

on("input", "[data-filter]", (input) => {
  const table = all(`#${input.dataset.filter}`)[0];
  freeze(table);
  const words = input.value.toLowerCase().split(/\s+/);
  for (const row of rows(table)) {
    const text = (row.dataset.text ?? row.textContent).toLowerCase();
    row.hidden = !words.every((/** @type {string} */ word) => text.includes(word));
  }
  const shown = rows(table).filter((row) => !row.hidden).length;
  all(".no-match", table).forEach((row) => row.remove());
  const nothing = make("tr", { class: "no-match" }, make("td", { colspan: "9" }, "Nothing matches."));
  if (!shown) table.tBodies[0].append(nothing);
  for (const count of all(`[data-count="${table.id}"]`)) {
    count.textContent = input.value ? `${shown} of ${rows(table).length}` : count.dataset.all;
  }
});

on("click", "th .sort", (button) => {
  const head = button.closest("th");
  const table = head.closest("table");
  freeze(table);
  const up = head.ariaSort !== "ascending";
  for (const other of all("th[aria-sort]", table)) other.ariaSort = "none";
  head.ariaSort = up ? "ascending" : "descending";
  /** @param {any} row */
  const key = ({ cells }) => cells[head.cellIndex].dataset.sort ?? cells[head.cellIndex].textContent;
  const sorted = rows(table).sort((one, two) => (up ? 1 : -1) * order.compare(key(one), key(two)));
  table.tBodies[0].append(...sorted);
});

on("change", "[data-pick], [data-pick-all]", (input) => {
  const picks = all("[data-pick]", input.form);
  const [every] = all("[data-pick-all]", input.form);
  if (input === every) for (const pick of picks) pick.checked = every.checked && !pick.closest("[hidden]");
  for (const pick of picks) pick.closest("tr").ariaSelected = String(pick.checked);
  const picked = picks.filter((pick) => pick.checked).length;
  if (every) {
    every.checked = picked === picks.length;
    every.indeterminate = picked > 0 && !every.checked;
  }
  for (const place of all("[data-picked-count]", input.form)) place.textContent = picked;
  for (const button of all("[data-needs-pick]", input.form)) button.disabled = !picked;
});
