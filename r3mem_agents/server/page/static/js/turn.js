// A turn: who said what when, and what can be done with it.

import * as api from "./api.js";
import { button, element, words } from "./dom.js";
import { edit, showVersions } from "./edit.js";
import { confirmForget } from "./forget.js";
import { count, hour, moment } from "./format.js";
import { attempt, tell } from "./notices.js";
import { toggleTokens } from "./tokens.js";

/** Characters of a turn that are shown at once. */
const LONGEST = 6000;

/** Keys on a turn that has the focus, and the action each one presses. */
export const KEYS = { e: "edit", p: "pin", t: "tokens", v: "versions", Delete: "forget" };

/**
 * The card of a turn.
 *
 * `said` are words to mark in its text, `dated` asks for the day beside the hour, a text of more than
 * `longest` characters is cut at first, `more` are further actions. The card holds the turn as its property `turn`, and tells by the event `turn-changed`,
 * which bubbles, that it is another one now.
 */
export function card(turn, { said = [], dated = false, longest = LONGEST, more = [] } = {}) {
  const made = element("article", { class: "turn", "aria-labelledby": `who-${turn.id}`, "data-turn": turn.id });
  made.turn = turn;
  const redraw = (changed) => {
    made.turn = changed;
    made.replaceChildren(...parts(made, { said, dated, longest, more }));
    made.dispatchEvent(new CustomEvent("turn-changed", { bubbles: true, detail: changed }));
  };
  made.redraw = redraw;
  made.replaceChildren(...parts(made, { said, dated, longest, more }));
  made.addEventListener("keydown", pressed);
  return made;
}

function parts(made, { said, dated, longest, more }) {
  const { turn } = made;
  const name = turn.place ?? turn.name ?? turn.role;
  const who = element(
    "header",
    { class: "who", id: `who-${turn.id}` },
    element("bdi", { class: "name" }, name),
    turn.name && turn.name !== turn.role ? words(turn.role) : null,
    element("time", { datetime: turn.time, title: turn.time, class: "figures" }, dated ? moment(turn.time) : hour(turn.time)),
  );
  const text = element("p", { class: "text", dir: "auto" });
  const act = (label, action, run, attributes = {}) =>
    button(label, run, { class: "quiet", "data-action": action, ...attributes });
  const actions = element(
    "div",
    { class: "actions", role: "group", "aria-label": `Actions on the turn of ${name}` },
    ...more.map((one) => act(one.label, one.action, () => one.run(made))),
    act("Tokens", "tokens", () => attempt(() => toggleTokens(made)), { "aria-pressed": "false" }),
    act("Pin", "pin", () => pin(made), { "aria-pressed": String(Boolean(turn.pinned)) }),
    act("Edit", "edit", () => edit(made)),
    act("Versions", "versions", () => attempt(() => showVersions(made)), { "aria-expanded": "false" }),
    act("Forget", "forget", () => confirmForget({ card: made }), { class: "quiet risky" }),
  );
  const foot = element("div", { class: "foot" }, element("p", { class: "marks" }, ...marks(turn)), actions);
  const body = element("div", { class: "said" }, text, foot);
  if (turn.text.length > longest * 1.25) shorten(made, text, { said, longest });
  else text.append(...marked(turn.text, said));
  return [who, body];
}

function marks(turn) {
  const shown = [];
  if (turn.pinned) shown.push(element("span", { class: "badge on" }, "pinned"));
  if (turn.expires) {
    shown.push(element("time", { class: "badge warm", datetime: turn.expires }, `expires ${moment(turn.expires)}`));
  }
  if (turn.key) shown.push(element("span", {}, "key ", words(turn.key)));
  for (const [name, value] of Object.entries(turn.metadata ?? {})) {
    const told = typeof value === "string" ? value : JSON.stringify(value);
    shown.push(element("span", {}, words(name), " ", words(told.slice(0, 80))));
  }
  return shown;
}

function shorten(made, text, { said, longest }) {
  const end = made.turn.text.lastIndexOf(" ", longest);
  text.append(...marked(`${made.turn.text.slice(0, end > longest / 2 ? end : longest)}…`, said));
  const whole = button(`Show all ${count(made.turn.text.length)} characters`, () => {
    text.replaceChildren(...marked(made.turn.text, said));
    whole.remove();
    made.focus();
  }, { class: "quiet" });
  text.after(element("p", { class: "more" }, whole));
}

/** A text with some of its words marked, wherever they stand as words. */
export function marked(text, said) {
  if (!said.length) return [text];
  const any = said.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const found = new RegExp(`(?<![\\p{L}\\p{N}])(${any})(?![\\p{L}\\p{N}])`, "giu");
  return text.split(found).map((piece, at) => (at % 2 ? element("mark", {}, piece) : piece));
}

async function pin(made) {
  const pinned = !made.turn.pinned;
  await attempt(async () => {
    made.redraw(await api.change(made.turn.id, { pinned }));
    made.querySelector('[data-action="pin"]').focus();
    tell(pinned ? "Pinned: always first in what a prompt gets." : "No longer pinned.");
  });
}

function pressed(event) {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  event.currentTarget.querySelector(`[data-action="${action}"]`)?.click();
}
