// The first start: the token comes in the fragment, which no server sees; the sheet shows the password.
import { all, on } from "./dom.js";

const [account] = all("form[data-setup-account]");
const [encryption] = all("form[data-setup-encryption]");

if (account) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(null, "", location.pathname);
  if (token) {
    account.elements.token.value = token;
    account.elements.name.focus();
  } else account.elements.token.focus();
}

function showSheet() {
  const { encrypt: choice, password, on_sheet: onSheet, kept } = encryption.elements;
  const encrypt = choice.value === "true";
  const [secret] = all(".sheet .secret");
  for (const part of all("[data-with-password]")) part.hidden = !encrypt;
  for (const field of [password, kept]) field.disabled = !encrypt;
  secret.textContent = onSheet.checked ? password.value : "\u00a0";
  secret.closest("section").hidden = !encrypt;
}

if (encryption) {
  on("input", "form[data-setup-encryption]", showSheet);
  showSheet();
}
