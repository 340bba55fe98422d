// The login: the code field comes when it is needed, and a delay is counted down.
import { all, make } from "./dom.js";

const [form] = all("form[data-login]");
const [code] = all("[data-code]");
const [button] = all('button[type="submit"]', form);
const [place] = all("[data-problem]", form);
const label = button.firstElementChild;

code.hidden = true;

/** @param {string} tone @param {string} title @param {string} text */
function say(tone, title, text) {
  const words = make("div", {}, make("strong", {}, title), make("p", {}, text));
  place.replaceChildren(make("div", { class: `callout ${tone}` }, words));
}

function askForCode() {
  code.hidden = false;
  form.elements.code.required = true;
  form.elements.code.focus();
  say("accent", "One step more", "Type the code that your authenticator app shows.");
}

/** @param {number} seconds */
function countDown(seconds) {
  button.disabled = seconds > 0;
  label.textContent = seconds > 0 ? `Try again in ${seconds} s` : "Log in";
  if (seconds > 0) setTimeout(countDown, 1000, seconds - 1);
  else place.replaceChildren();
}

form.addEventListener("refused", (/** @type {CustomEvent} */ event) => {
  const { code: reason, wait } = event.detail;
  if (reason === "code-required") askForCode();
  else if (reason === "too-many-attempts") {
    say("warn", "Too many attempts", "Nobody is locked out; it only takes a while now.");
    countDown(wait || 1);
  } else if (reason === "not-authenticated") {
    say("bad", "That did not match", "The name, the password or the code is wrong.");
    form.elements[code.hidden ? "password" : "code"].select();
  } else return;
  event.preventDefault();
});
