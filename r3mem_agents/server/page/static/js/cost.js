// What a memory costs: bytes by kind beside the text that they bring back.

import { byId, button, element, styled } from "./dom.js";
import { confirmForget } from "./forget.js";
import { bytes, count } from "./format.js";

/** Show the counts of a memory, and offer to forget all of it. */
export function showCost(stats, user) {
  const own = stats.code_bytes + stats.gist_bytes + stats.term_bytes;
  const kinds = [
    ["code", "memory tokens", stats.code_bytes],
    ["gist", "gists", stats.gist_bytes],
    ["terms", "index of terms", stats.term_bytes],
    ["rest", "the rest of the file", Math.max(stats.file_bytes - own, 0)],
  ];
  const bar = kinds.map(([kind, , size]) => styled(element("i", { class: kind }), { "--share": size }));
  const rows = kinds.map(([kind, label, size]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, element("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), label),
      element("td", {}, bytes(size)),
    ),
  );
  byId("cost").replaceChildren(
    element("h2", { id: "cost-title" }, "What it costs"),
    element("p", { class: "held" }, element("b", {}, bytes(stats.text_bytes)), " of text in ", element("b", {}, bytes(stats.file_bytes))),
    element("div", { class: "parts", "aria-hidden": "true" }, ...bar),
    element("table", {}, element("caption", { class: "hidden" }, "Bytes by kind"), element("tbody", {}, ...rows)),
    element(
      "p",
      { class: "foot figures" },
      `${stats.bits_per_token.toFixed(2)} bits a token; ${Math.round(100 * stats.inferred_share)} % of ${count(stats.tokens)} tokens are inferred`,
    ),
    button("Forget everything", () => confirmForget({ user }), { class: "quiet risky" }),
  );
}
