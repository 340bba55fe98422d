// Keeps <time data-age> ("3 h ago") and <time data-elapsed> ("2 min 5 s") fresh.
import { all } from "./dom.js";
import { age, duration } from "./words.js";

function refresh() {
  const now = new Date();
  for (const time of all("time[data-age], time[data-elapsed]")) {
    const then = new Date(time.getAttribute("datetime") || "");
    const words = "age" in time.dataset ? age(then, now) : duration(Math.floor((+now - +then) / 1000));
    if (time.textContent !== words) time.textContent = words;
  }
}

refresh();
setInterval(() => document.hidden || refresh(), 1000);
document.addEventListener("visibilitychange", refresh);
