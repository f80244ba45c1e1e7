// Forgetting: asked first, then told by a receipt, which can be kept.

import * as api from "./api.js";
import { button, element, words } from "./dom.js";
import { bytes, count, counted, moment } from "./format.js";
import { refuse, tell } from "./notices.js";

const QUOTED = 600;

/** Ask, and forget a turn (`card`), a session (`session`, with its `turns`) or all of a `user`. */
export function confirmForget({ card, session, user, turns }) {
  const what = card ? "this turn" : session !== undefined ? "this session" : "everything";
  const body = card
    ? { turn_ids: [card.turn.id] }
    : session !== undefined
      ? { session }
      : { everything: true };
  let forgotten = false;
  const go = element("button", { class: "danger", type: "submit" }, "Forget");
  const dialog = element("dialog", { "aria-labelledby": "forget-title" });
  const typed = user !== undefined ? element("input", { id: "typed", autocomplete: "off", required: true }) : null;
  const form = element(
    "form",
    { class: "stack" },
    element("h2", { id: "forget-title" }, `Forget ${what}?`),
    card && element("blockquote", { dir: "auto" }, cut(card.turn.text)),
    session !== undefined && element("blockquote", {}, words(session), `: ${counted(turns, "turn")}`),
    typed && element("div", { class: "field" }, element("label", { for: "typed" }, "To go on, type the user's name: ", words(user)), typed),
    element("p", { class: "soft" }, "No byte of it is left in the file, and it cannot be had back. Copies of the file are not reached."),
    element("p", { class: "row" }, button("Keep", () => dialog.close()), go),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (typed && typed.value !== user) {
      typed.setCustomValidity(`Type ${user}`);
      typed.reportValidity();
      return typed.addEventListener("input", () => typed.setCustomValidity(""), { once: true });
    }
    go.disabled = true;
    try {
      const receipt = await api.forget(body);
      dialog.replaceChildren(told(receipt, dialog));
      dialog.querySelector("[autofocus]").focus();
      tell(`Forgotten: ${counted(receipt.turns, "turn")}.`);
      forgotten = true;
    } catch (error) {
      dialog.close();
      refuse(error);
    }
  });
  dialog.append(form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    // Only now: what had the focus may go, and the focus with it.
    if (forgotten) document.dispatchEvent(new CustomEvent("forgotten", { detail: { card, ...body } }));
  });
  document.body.append(dialog);
  dialog.showModal();
}

const cut = (text) => (text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text);

function told(receipt, dialog) {
  const rows = [
    ["Turns", count(receipt.turns)],
    ["Ids", ids(receipt.turn_ids)],
    ["Sessions", receipt.sessions.join(", ")],
    ["Text", bytes(receipt.text_bytes)],
    ["Memory tokens", bytes(receipt.code_bytes)],
    ["Scrubbed", moment(receipt.scrubbed)],
    ["Hash of the file", receipt.file_hash && element("span", { class: "hash" }, receipt.file_hash)],
  ].filter(([, value]) => value);
  return element(
    "div",
    { class: "stack" },
    element("h2", { id: "forget-title" }, "Forgotten"),
    element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    element(
      "p",
      { class: "row" },
      button("Download receipt", () => download(receipt)),
      button("Done", () => dialog.close(), { class: "primary", autofocus: true }),
    ),
  );
}

function ids(all) {
  return all.length > 12 ? `${all.slice(0, 12).join(", ")} and ${count(all.length - 12)} more` : all.join(", ");
}

function download(receipt) {
  const blob = new Blob([`${JSON.stringify(receipt, null, 2)}\n`], { type: "application/json" });
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: "receipt.json" }).click();
  URL.revokeObjectURL(address);
}
