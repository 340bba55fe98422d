// A prepared download begins when its form was answered; a choice of order is taken at once.
import { on } from "./dom.js";

on("sent", "form[data-download]", (_, { detail }) => location.assign(detail.href));
on("change", "select[data-submit]", (select) => select.form.requestSubmit());
