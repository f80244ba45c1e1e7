// What a lookup found, as agents find it: how sure it is, what was asked, and each hit's evidence.

import * as api from "./api.js";
import { button, element, styled, words } from "./dom.js";
import { evidence, range } from "./evidence.js";
import { counted } from "./format.js";
import { attempt, tell } from "./notices.js";
import { roving } from "./roving.js";
import { card } from "./turn.js";

const EXCERPT = 420;

/** Ask a question in `main`; `open` shows a turn in its session. Returns the sessions of the hits. */
export async function showResults(main, question, { open, signal }) {
  const { recalled, explanation } = await api.recall({ ...question, explain: true }, signal);
  const list = element("ol", { class: "hits", "aria-label": "Turns found, best first" });
  const rove = roving(list, ".turn");
  const scale = range(recalled);
  list.append(...recalled.map((one) => element("li", {}, hit(one, scale, { list, open }))));
  main.replaceChildren(...head(question, recalled, explanation), list, ...(recalled.length ? [prompt(question)] : []));
  rove.admit(list.querySelectorAll(".turn"));
  tell(recalled.length ? `${counted(recalled.length, "turn")} found.` : "Nothing relevant was found.");
  return new Set(recalled.map((one) => one.turn.session));
}

function head(question, recalled, explanation) {
  const title = element("h1", { dir: "auto" }, question.query);
  const read = [["words", explanation.words], ["speakers", explanation.speakers], ["times", explanation.times]];
  const asked = read.filter(([, those]) => those.length).map(([what, those]) =>
    element("span", {}, `${what} `, element("b", { dir: "auto" }, those.join(", "))),
  );
  const sure = element(
    "div",
    { class: "sure" },
    element("p", { class: "value" }, explanation.sureness.toFixed(2), element("span", {}, "sureness")),
    element("p", {}, explanation.outcome),
    element("p", { class: "asked" }, ...(asked.length ? asked : ["no words to search for"])),
  );
  return [element("div", { class: "view-head" }, title), sure];
}

function hit(found, scale, { list, open }) {
  const { turn, explanation } = found;
  const name = turn.place ?? turn.name ?? turn.role;
  const made = card(turn, {
    said: explanation.said,
    dated: true,
    longest: EXCERPT,
    more: [{ label: "In its session", action: "open", run: () => open(turn.session, turn.id) }],
  });
  const dress = () => {
    const score = styled(element("i", { "aria-hidden": "true" }), { "--score": found.score });
    made.querySelector(".who").prepend(element("span", { class: "score" }, element("span", { class: "hidden" }, "Score "), found.score.toFixed(2), score));
    made.querySelector(".who").append(element("span", {}, words(turn.session)));
    if (found.superseded_by !== null) {
      const newer = button("superseded by a newer turn", () => showNewer(found.superseded_by, list, open), { class: "badge warm" });
      made.querySelector(".marks").prepend(newer);
    }
    made.querySelector(".said").append(evidence(explanation, name, scale));
  };
  dress();
  made.addEventListener("turn-changed", dress);
  return element("div", { class: `hit${found.superseded_by === null ? "" : " superseded"}` }, made);
}

async function showNewer(id, list, open) {
  const there = list.querySelector(`[data-turn="${id}"]`);
  if (there) return there.focus();
  await attempt(async () => open((await api.fetchTurn(id)).session, id));
}

function prompt(question) {
  const text = element("pre", { dir: "auto", tabindex: "0" });
  const made = element("details", { class: "prompt" }, element("summary", {}, "What a prompt gets, in 800 tokens"), text);
  made.addEventListener("toggle", () => {
    if (!made.open || text.textContent) return;
    const { query, sessions, roles, where, as_of } = question;
    attempt(async () => (text.textContent = (await api.context({ query, sessions, roles, where, as_of })).text));
  });
  return made;
}
