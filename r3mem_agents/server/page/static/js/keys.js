// Keys: two that work anywhere, which can be turned off, and those of a turn that has the focus.

import { byId, button, element } from "./dom.js";

const OFF = "r3mem-keys-off";

const HELP = [
  ["/", "to the question"],
  ["?", "these keys"],
  ["↑ ↓", "from turn to turn, or from session to session; Home and End to the first and last"],
  ["Tab", "into what can be done with a turn"],
  ["T", "on a turn: what its tokens cost"],
  ["E", "on a turn: edit; Ctrl+Enter saves, Esc leaves it as it was"],
  ["P", "on a turn: pin"],
  ["V", "on a turn: earlier versions"],
  ["Delete", "on a turn: forget"],
];

function showKeys() {
  const dialog = element("dialog", { "aria-labelledby": "keys-title" });
  const single = element("input", { type: "checkbox", checked: localStorage.getItem(OFF) === null });
  single.addEventListener("change", () => {
    if (single.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "");
  });
  dialog.append(
    element(
      "div",
      { class: "stack" },
      element("h2", { id: "keys-title" }, "Keyboard"),
      element("dl", {}, ...HELP.flatMap(([key, what]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)])),
      element("label", { class: "check" }, single, "/ and ? work anywhere on the page"),
      element("p", { class: "row" }, button("Close", () => dialog.close(), { class: "primary", autofocus: true })),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Let the keys that work anywhere work. */
export function startKeys() {
  byId("keys").addEventListener("click", showKeys);
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (localStorage.getItem(OFF) !== null || document.querySelector("dialog[open]")) return;
    if (event.key === "/") byId("query").select();
    else if (event.key === "?") showKeys();
    else return;
    event.preventDefault();
  });
}
