// Lists below a destination what a test of it found.
import { on } from "./dom.js";
import { toast } from "./toast.js";

const TONES = { good: "good", note: "neutral", warning: "warn", failed: "bad" };

on("sent", "[data-destination-test]", (form, { detail }) => {
  const list = form.closest(".card").querySelector("[data-findings]");
  list.replaceChildren(...detail.findings.map(line));
  const bad = detail.findings.filter((/** @type {{verdict: string}} */ { verdict }) => verdict === "failed").length;
  if (bad) toast(bad === 1 ? "One thing does not work" : `${bad} things do not work`, { tone: "bad" });
  else toast("The bucket does what backups need");
});

/** @param {{about: string, verdict: keyof TONES, words: string, advice: string}} finding */
function line({ about, verdict, words, advice }) {
  const { content } = document.querySelector(`template[data-finding="${TONES[verdict]}"]`);
  const item = document.importNode(content, true);
  const texts = [capital(about), verdict, [words, advice].filter(Boolean).map(capital).join(". ")];
  item.querySelectorAll("span").forEach((part, place) => { part.textContent = texts[place]; });
  return item;
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
