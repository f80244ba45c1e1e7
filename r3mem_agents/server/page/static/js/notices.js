// What the page tells: refusals where all can see them, outcomes to those who listen.

import { byId, button, element } from "./dom.js";

/** Show a refusal until it is dismissed or the next thing succeeds. */
export function refuse(error) {
  if (error.name === "AbortError") return;
  const notice = element(
    "div",
    { class: "notice" },
    element("p", {}, element("strong", {}, error.name), ` ${error.message}`),
    error.status === 401 && button("Sign in", () => location.reload()),
    button("Dismiss", () => notice.remove(), { class: "quiet" }),
  );
  byId("notices").replaceChildren(notice);
}

/** Tell an outcome to screen readers. */
export function tell(text) {
  byId("said").textContent = text;
}

/** Run what may be refused; returns whether it succeeded. */
export async function attempt(work) {
  try {
    await work();
    byId("notices").replaceChildren();
    return true;
  } catch (error) {
    refuse(error);
    return false;
  }
}
