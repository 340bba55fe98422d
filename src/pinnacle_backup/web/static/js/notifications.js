// Says beside each channel what became of its test message.
import { all, on } from "./dom.js";
import { toast } from "./toast.js";

on("sent", "[data-notification-test]", (_, { detail }) => {
  for (const { name, error, hint } of detail.channels) {
    for (const place of all(`[data-channel="${CSS.escape(name)}"]`)) {
      place.className = `split ${error ? "bad" : "good"}`;
      place.querySelector("[data-test-answer]").textContent = error ? [error, hint].filter(Boolean).join(". ") : "Sent just now; see whether it arrives.";
    }
  }
  const failed = detail.channels.filter((/** @type {{error: string}} */ { error }) => error).length;
  if (failed) toast(failed === detail.channels.length ? "The test failed" : `${failed} of the tests failed`, { tone: "bad" });
  else toast("Sent");
});
