// The list of sessions, newest first.

import { byId, element, words } from "./dom.js";
import { count, period } from "./format.js";
import { roving } from "./roving.js";

const FINDABLE = 12;

/** Show the sessions; `choose` opens one by its name. What was typed to find one stays, and so does the focus. */
export function listSessions(sessions, { current, choose }) {
  const nav = byId("sessions");
  const before = byId("find-session");
  const inside = nav.contains(document.activeElement);
  const typing = inside && document.activeElement === before;
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
  const field = sessions.length > FINDABLE && finder(list, before?.value ?? "");
  nav.replaceChildren(title, ...(field ? [field] : []), list);
  const rove = roving(list, ".session");
  rove.admit(items);
  const open = items.find((one) => one.getAttribute("aria-current"));
  if (current !== null) rove.arrive(open ?? items.at(-1));
  if (typing && field) field.focus();
  else if (inside) open?.focus({ preventScroll: true });
  open?.scrollIntoView({ block: "nearest" });
}

function finder(list, wanted) {
  const field = element("input", { id: "find-session", type: "search", placeholder: "Find a session", "aria-label": "Find a session", dir: "auto" });
  const find = () => {
    const word = field.value.toLocaleLowerCase();
    for (const item of list.children) {
      item.hidden = !item.querySelector("bdi").textContent.toLocaleLowerCase().includes(word);
    }
  };
  field.addEventListener("input", find);
  field.value = wanted;
  find();
  return field;
}

