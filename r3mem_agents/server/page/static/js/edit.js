// A turn's words changed in place, and those that they were before.

import * as api from "./api.js";
import { button, element } from "./dom.js";
import { attempt, tell } from "./notices.js";

/** Put a field in place of a turn's words. */
export function edit(made) {
  if (made.querySelector(".edit")) return;
  const body = made.querySelector(".said");
  const text = element("textarea", { "aria-label": "Words of the turn", dir: "auto" });
  text.value = made.turn.text;
  const before = text.value;
  const keep = element("input", { type: "checkbox", checked: true });
  const close = () => {
    form.replaceWith(body);
    made.focus();
  };
  const save = element("button", { class: "primary", type: "submit" }, "Save");
  const form = element(
    "form",
    { class: "edit said", "aria-label": "Edit the turn" },
    text,
    element(
      "div",
      { class: "row" },
      save,
      button("Cancel", close),
      element("label", { class: "check" }, keep, "Keep the earlier words"),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    const saved = await attempt(async () => {
      if (text.value === before) return close();
      const said = withLineEnds(text.value, made.turn.text);
      made.redraw(await api.change(made.turn.id, { text: said, keep_versions: keep.checked }));
      made.focus();
      tell(keep.checked ? "Saved; the earlier words are kept." : "Saved; no byte of the earlier words is left.");
    });
    if (!saved) save.disabled = false;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  body.replaceWith(form);
  text.focus();
}

/** A field has line feeds alone: where a text had carriage returns before all of them, it gets them back. */
function withLineEnds(text, earlier) {
  const both = earlier.includes("\r\n") && !/[\r\n]/.test(earlier.replaceAll("\r\n", ""));
  return both ? text.replaceAll("\n", "\r\n") : text;
}

/** Show or hide the earlier words of a turn that were kept. */
export async function showVersions(made) {
  const control = made.querySelector('[data-action="versions"]');
  const shown = made.querySelector(".versions");
  control.setAttribute("aria-expanded", String(!shown));
  if (shown) return shown.remove();
  const turns = await api.versions(made.turn.id);
  const none = element("p", { class: "soft" }, "No earlier words of this turn were kept.");
  const listed = turns.map((one) =>
    element("li", {}, element("p", { class: "text", dir: "auto" }, one.text)),
  );
  const versions = turns.length
    ? element("ol", { class: "versions", "aria-label": "Earlier words, oldest first" }, ...listed)
    : element("div", { class: "versions" }, none);
  made.querySelector(".said").append(versions);
  tell(turns.length ? `Earlier words: ${turns.length}.` : none.textContent);
}
