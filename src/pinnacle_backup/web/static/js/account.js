// The own account: what is shown once (a token, a key, recovery codes) goes into its place, and nowhere else.
import { all, on } from "./dom.js";

/** @param {string} id @param {string} text */
const write = (id, text) => {
  const place = document.getElementById(id);
  if (place) place.textContent = text;
};

/** Hides one part of a dialog and shows another. @param {any} from @param {any} to */
function go(from, to) {
  from.hidden = true;
  to.hidden = false;
  all("input", to)[0]?.focus();
}

on("sent", "form[data-new-token]", (form, { detail }) => {
  write("token-secret", detail.secret);
  write("token-try", `curl -H "Authorization: Bearer ${detail.secret}" ${location.origin}/api/v1/session`);
  go(form, all("[data-token-made]")[0]);
});
on("sent", "form[data-totp-begin]", (form, { detail }) => {
  const [image] = all("[data-qr]");
  image.hidden = !detail.qr;
  image.src = detail.qr;
  write("totp-key", detail.key);
  go(form, all("[data-totp-confirm]")[0]);
});
on("sent", "form[data-totp-confirm]", (form, { detail }) => {
  write("recovery-codes", detail.recovery_codes.join("\n"));
  go(form, all("[data-totp-done]")[0]);
});
on("click", "[data-reload]", () => location.reload());
document.addEventListener("close", ({ target }) => {
  const shown = all("[data-token-made], [data-totp-done]", /** @type {Element} */ (target));
  if (shown.some((part) => !part.hidden)) location.reload();
}, true);
