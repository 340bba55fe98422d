// The switch between light, dark and what the system says; first.js applies it before the first paint.
import { all, on, stored } from "./dom.js";

const root = document.documentElement;

function show() {
  for (const button of all("[data-theme-choice]")) {
    button.ariaPressed = String(button.dataset.themeChoice === (root.dataset.theme || "auto"));
  }
}

on("click", "[data-theme-choice]", (button) => {
  root.dataset.theme = button.dataset.themeChoice;
  if (root.dataset.theme === "auto") delete root.dataset.theme;
  stored(() => localStorage.setItem("theme", button.dataset.themeChoice));
  show();
});
show();
