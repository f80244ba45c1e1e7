// The page as a whole: one view at a time beside the sessions, and a way back to the one before.

import * as api from "./api.js";
import { byId, element } from "./dom.js";
import { showCost } from "./cost.js";
import { startKeys } from "./keys.js";
import { attempt, refuse } from "./notices.js";
import { offerSessions, startQuestion } from "./question.js";
import { showResults } from "./results.js";
import { signIn, whose } from "./scope.js";
import { listSessions } from "./sessions.js";
import { startTheme } from "./theme.js";
import { timeline } from "./timeline.js";
import { showSession } from "./transcript.js";

const main = byId("main");
const drawTimeline = timeline(byId("along-time"));

let user = "";
let sessions = [];
let current = null;
let found = new Set();
let shown = new AbortController();
let views = [];
let at = 0;

async function start() {
  try {
    ({ user } = await whose(enter));
  } catch (error) {
    if (error.status === 401) return signIn(main, error, start);
    return refuse(error);
  }
  await enter({ user });
}

/** Show the memory of a user, beginning with the newest session. */
async function enter(who) {
  user = who.user;
  await showing(async (signal) => {
    await count(signal);
    byId("side").hidden = false;
    views = [sessions.length ? { session: sessions.at(-1).name } : {}];
    history.replaceState((at = 0), "");
    await view(views[at], signal);
  });
}

/** Run what changes the view, and say meanwhile that it changes; what changed it before is called off. */
async function showing(work) {
  shown.abort();
  const mine = (shown = new AbortController());
  main.setAttribute("aria-busy", "true");
  const done = await attempt(() => work(mine.signal));
  if (shown === mine) main.removeAttribute("aria-busy");
  return done;
}

/** Count again what there is: sessions along time, the list of them, and what they cost. */
async function count(signal = shown.signal) {
  const [list, stats] = await Promise.all([api.sessions(signal), api.stats(signal)]);
  sessions = list;
  showCost(stats, user);
  offerSessions(sessions);
  outline();
}

function outline() {
  listSessions(sessions, { current, choose: (name) => go({ session: name }) });
  drawTimeline(sessions, { current, found, choose: (name) => go({ session: name }) });
}

/** Show a view, and remember it for the way back. The browser is only told its number: it may keep that. */
async function go(state) {
  views.splice((at += 1), Infinity, state);
  history.pushState(at, "");
  const there = await showing((signal) => view(state, signal));
  if (there && main.getBoundingClientRect().top < 0 && state.turn === undefined) main.scrollIntoView();
}

async function view(state, signal) {
  const session = sessions.find((one) => one.name === state.session);
  current = session?.name ?? null;
  found = new Set();
  if (state.question) found = await showResults(main, state.question, { open: openTurn, signal });
  else if (session) await showSession(main, session, { at: state.turn ?? null, signal });
  else main.replaceChildren(nothing());
  outline();
}

const openTurn = (session, turn) => go({ session, turn });

function nothing() {
  return element(
    "div",
    { class: "empty" },
    element("h1", {}, "Nothing is remembered yet"),
    element("p", {}, "What an agent remembers appears here, with the sessions along time. To try it: r3mem remember \"My dog is called Biscuit.\""),
  );
}

/** After something was forgotten: the turn goes from the view, or the whole view does. */
async function forgotten({ detail }) {
  const { card } = detail;
  if (!card) return enter({ user });
  const item = card.closest(".hits > li") ?? card;
  const next = [item.nextElementSibling, item.previousElementSibling].map((one) => one?.closest(".turn") ?? one?.querySelector(".turn"));
  item.remove();
  (next.find(Boolean) ?? main).focus();
  await attempt(() => count());
}

startTheme();
startKeys();
startQuestion((question) => go({ question }));
document.addEventListener("forgotten", forgotten);
document.addEventListener("turn-changed", () => attempt(() => count()));
window.addEventListener("popstate", ({ state }) => {
  at = state ?? 0;
  if (views[at]) showing((signal) => view(views[at], signal));
});
start();
