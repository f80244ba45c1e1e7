// The server's REST interface, and nothing else: the page asks nobody but the server it came from.

const TOKEN = "r3mem-token";
const BASE = new URL(".", document.baseURI);

let scope = {};

/** A refusal of the server: its name, and its message, which says what to do. */
export class Refusal extends Error {
  constructor(status, name, message) {
    super(message);
    this.status = status;
    this.name = name;
  }
}

/** Whose memory is asked for, where the server lets the page choose. */
export function choose(user, agent) {
  scope = { user, agent };
}

/** Keep the token until the tab is closed; null forgets it. */
export function keepToken(token) {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

async function ask(method, path, { query = {}, body, signal } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries({ ...scope, ...query })) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  const headers = { Accept: "application/json" };
  if (hasToken()) headers.Authorization = `Bearer ${sessionStorage.getItem(TOKEN)}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" };
  let answer;
  try {
    answer = await fetch(url, sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "No answer", "The server does not answer. Start it again with: r3mem serve");
  }
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  const { name = `Error ${answer.status}`, message = answer.statusText } = told.error ?? {};
  throw new Refusal(answer.status, name, message);
}

const turn = (id) => `v1/turns/${encodeURIComponent(id)}`;

export const me = () => ask("GET", "v1/me");
export const users = () => ask("GET", "v1/users");
export const sessions = (signal) => ask("GET", "v1/sessions", { signal });
export const stats = (signal) => ask("GET", "v1/stats", { signal });
export const turns = (query, signal) => ask("GET", "v1/turns", { query, signal });
export const fetchTurn = (id) => ask("GET", turn(id));
export const tokens = (id) => ask("GET", `${turn(id)}/tokens`);
export const versions = (id) => ask("GET", `${turn(id)}/versions`);
export const change = (id, body) => ask("PATCH", turn(id), { body });
export const summary = (session) => ask("GET", "v1/summary", { query: { session } });
export const recall = (body, signal) => ask("POST", "v1/recall", { body, signal });
export const context = (body) => ask("POST", "v1/context", { body });
export const forget = (body) => ask("POST", "v1/forget", { body });
