// Copies the text of the element whose id a button names; prints the page.
import { on } from "./dom.js";
import { toast } from "./toast.js";

on("click", "[data-copy]", async (button) => {
  const element = document.getElementById(button.dataset.copy);
  if (!element) return;
  const done = await navigator.clipboard?.writeText(element.textContent || "").then(() => true, () => false);
  if (done) return toast("Copied");
  getSelection()?.selectAllChildren(element); // without TLS there is only the old way
  toast(document.execCommand("copy") ? "Copied" : "The text is selected: copy it with the keyboard.");
});
on("click", "[data-print]", () => print());
