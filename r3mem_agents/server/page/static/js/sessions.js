// The list of sessions, newest first.

import { byId, element, words } from "./dom.js";
import { count, period } from "./format.js";
import { roving } from "./roving.js";

const FINDABLE = 12;

/** Show the sessions; `choose` opens one by its name. */
export function listSessions(sessions, { current, choose }) {
  const items = sessions.map((one) =>
    element(
      "button",
      { type: "button", class: "session", "aria-current": one.name === current ? "true" : null, click: () => choose(one.name) },
      words(one.name),
      element("span", { class: "soft figures" }, count(one.turns), element("span", { class: "hidden" }, one.turns === 1 ? " turn" : " turns")),
      element("span", { class: "soft figures when" }, period(one.first, one.last)),
    ),
  );
  const list = element("ul", {}, ...items.toReversed().map((one) => element("li", {}, one)));
  const title = element("h2", { id: "sessions-title" }, "Sessions", element("span", { class: "figures" }, count(sessions.length)));
  byId("sessions").replaceChildren(title, ...(sessions.length > FINDABLE ? [finder(list)] : []), list);
  const rove = roving(list, ".session");
  rove.admit(items);
  if (current !== null) rove.arrive(items.find((one) => one.getAttribute("aria-current")) ?? items.at(-1));
  list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}

function finder(list) {
  const field = element("input", { id: "find-session", type: "search", placeholder: "Find a session", "aria-label": "Find a session", dir: "auto" });
  field.addEventListener("input", () => {
    const wanted = field.value.toLocaleLowerCase();
    for (const item of list.children) {
      item.hidden = !item.querySelector("bdi").textContent.toLocaleLowerCase().includes(wanted);
    }
  });
  return field;
}

