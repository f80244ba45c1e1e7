// Whose memory is shown: chosen from a list where the file has no tokens, else said by the token.

import * as api from "./api.js";
import { button, byId, element, words } from "./dom.js";

const CHOSEN = "r3mem-scope";
const label = ({ user, agent }) => (agent === "default" ? user : `${user} · ${agent}`);

/** Ask who it is; `changed` is called when that is another one. Returns the user and agent. */
export async function whose(changed) {
  const me = await api.me();
  if (me.users) return chosen(await api.users(), me, changed);
  byId("scope").replaceChildren(
    element("span", { class: "badge on" }, words(label(me))),
    button("Sign out", () => (api.keepToken(null), location.reload()), { class: "quiet" }),
  );
  return me;
}

function chosen(users, me, changed) {
  const all = users.length ? users : [me];
  const before = sessionStorage.getItem(CHOSEN);
  const at = Math.max(all.findIndex((one) => key(one) === before), 0);
  const select = element(
    "select",
    { "aria-label": "User and agent" },
    ...all.map((one, n) => element("option", { value: n, selected: n === at }, label(one))),
  );
  select.addEventListener("change", () => {
    const one = all[select.value];
    sessionStorage.setItem(CHOSEN, key(one));
    api.choose(one.user, one.agent);
    changed(one);
  });
  byId("scope").replaceChildren(select);
  api.choose(all[at].user, all[at].agent);
  return all[at];
}

const key = ({ user, agent }) => JSON.stringify([user, agent]);

/** Ask for a token, and go on with `start` once there is one; `refusal` says what was wrong before. */
export function signIn(main, refusal, start) {
  const field = element("input", { id: "token", type: "password", autocomplete: "off", required: true, "aria-describedby": "token-told" });
  const told = api.hasToken() ? refusal.message : "This memory asks for a token. It is kept until you close this tab.";
  const form = element(
    "form",
    { class: "sign-in" },
    element("h1", {}, "Sign in"),
    element("p", { id: "token-told", class: "soft" }, told),
    element("div", { class: "field" }, element("label", { for: "token" }, "Token"), field),
    element("button", { class: "primary", type: "submit" }, "Open"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    api.keepToken(field.value.trim());
    start();
  });
  main.replaceChildren(form);
  field.focus();
}
