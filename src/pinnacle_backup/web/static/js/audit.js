// The state of the chain, asked for after the page is there; a filter that is chosen holds at once.
import { api } from "./api.js";
import { all, icon, make, on } from "./dom.js";
import { number } from "./words.js";

const [place] = all("[data-chain]");

/** @param {string} tone @param {string} title @param {string} text @param {string} [hash] */
function show(tone, title, text, hash = "") {
  const words = make("div", {}, make("strong", {}, title), make("p", {}, text));
  if (hash) words.append(make("p", { class: "hint" }, "Keep this elsewhere as an anchor: ", make("code", {}, hash)));
  place.className = `callout split ${tone}`;
  place.replaceChildren(icon(tone === "good" ? "shield-check" : "warning"), words);
}

api("/api/v1/audit/check").then(
  ({ json }) => {
    if (json.broken) show("bad", `The chain is broken at event ${json.broken}`, json.reason);
    else {
      const found = `${number(json.events)} events; ${number(json.anchors)} of their hashes were found in the logs, too.`;
      show("good", "Unbroken", found, json.newest && `${json.events}:${json.newest}`);
    }
  },
  (problem) => show("warn", "The chain could not be checked", problem.message),
);
on("change", "[data-filters] select", (select) => select.form.requestSubmit());
