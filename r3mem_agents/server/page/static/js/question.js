// The question and its filters, as the form has them.

import { conditions, startConditions } from "./conditions.js";
import { byId, element, words } from "./dom.js";
import { zoned } from "./format.js";

/** What the form asks, as a lookup takes it; filters that are empty are left out. */
export function question() {
  const form = byId("ask");
  const given = new FormData(form);
  const sessions = given.getAll("session");
  const role = given.get("role").trim();
  return {
    query: given.get("query"),
    k: Number(given.get("k")),
    level: given.get("level"),
    since: zoned(given.get("since")),
    until: zoned(given.get("until")),
    as_of: zoned(given.get("as_of")),
    roles: role ? [role] : undefined,
    sessions: sessions.length ? sessions : undefined,
    where: conditions(),
  };
}

/** Offer sessions to choose from, and keep those that were chosen. */
export function offerSessions(sessions) {
  const list = byId("only-sessions");
  const chosen = new Set([...list.querySelectorAll(":checked")].map((one) => one.value));
  list.replaceChildren(
    ...sessions.map(({ name }) =>
      element(
        "label",
        { class: "check" },
        element("input", { type: "checkbox", name: "session", value: name, checked: chosen.has(name) }),
        words(name),
      ),
    ),
  );
}

/** Let the form ask, and its filters open and close. */
export function startQuestion(ask) {
  const filters = byId("filters");
  const control = byId("filters-switch");
  const open = (yes) => {
    filters.hidden = !yes;
    control.setAttribute("aria-expanded", String(yes));
  };
  control.addEventListener("click", () => {
    open(filters.hidden);
    if (!filters.hidden) byId("since").focus();
  });
  byId("ask").addEventListener("invalid", ({ target }) => filters.contains(target) && open(true), true);
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(question());
  });
  startConditions();
}
