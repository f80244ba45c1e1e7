// A session: its turns in order, loaded page by page as they come into view.

import * as api from "./api.js";
import { button, element, words } from "./dom.js";
import { confirmForget } from "./forget.js";
import { counted, date, period } from "./format.js";
import { attempt, refuse } from "./notices.js";
import { roving } from "./roving.js";
import { legend, toggleTokens } from "./tokens.js";
import { card } from "./turn.js";

const PAGE = 50;
const BEFORE = 8;
const AHEAD = "800px";
const DWELL_MS = 150;

/** Show a session in `main`; `at` is a turn to begin at, and `signal` says that another view came. */
export async function showSession(main, session, { at = null, signal }) {
  const feed = element("div", { class: "turns", role: "feed", "aria-label": `Turns of ${session.name}`, "aria-busy": "true" });
  const rove = roving(feed, ".turn");
  const costs = costsInView(feed);
  const ends = { earlier: null, later: null };
  const earlier = button("Earlier turns", () => load("earlier"), { hidden: true });
  const later = button("Later turns", () => load("later"), { hidden: true });

  function place(turns, end) {
    const cards = turns.map((turn, n) => {
      const previous = turns[n - 1];
      return card(turn, { dated: !previous || date(previous.time) !== date(turn.time) });
    });
    if (end === "earlier") keepingView(feed, () => feed.prepend(...cards));
    else feed.append(...cards);
    rove.admit(cards);
    costs.watch(cards);
  }

  async function load(end) {
    const from = ends[end];
    if (from === null || feed.getAttribute("aria-busy") === "true") return;
    feed.setAttribute("aria-busy", "true");
    const which = end === "earlier" ? { before: from } : { after: from };
    try {
      const page = await api.turns({ session: session.name, limit: PAGE, ...which }, signal);
      ends[end] = page.next;
      place(page.turns, end);
    } catch (error) {
      refuse(error);
    }
    settle();
  }

  function settle() {
    feed.setAttribute("aria-busy", "false");
    earlier.hidden = ends.earlier === null;
    later.hidden = ends.later === null;
  }

  if (at !== null) {
    const page = await api.turns({ session: session.name, limit: BEFORE, before: at + 1 }, signal);
    ends.earlier = page.next;
    place(page.turns, "later");
  }
  const page = await api.turns({ session: session.name, limit: PAGE, after: at ?? 0 }, signal);
  ends.later = page.next;
  place(page.turns, "later");
  settle();
  main.replaceChildren(head(session, costs), legendOf(costs), about(session), earlier, feed, later);
  const near = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => load(one.target === later ? "later" : "earlier")),
    { rootMargin: AHEAD },
  );
  near.observe(later);
  near.observe(earlier);
  signal.addEventListener("abort", () => near.disconnect());
  if (at !== null) {
    const wanted = feed.querySelector(`[data-turn="${at}"]`);
    rove.arrive(wanted);
    wanted?.focus({ preventScroll: true });
    wanted?.scrollIntoView({ block: "center" });
  }
}

/** Put turns in before others without moving what is on screen. */
function keepingView(feed, change) {
  const first = feed.firstElementChild;
  if (!first) return change();
  const top = first.getBoundingClientRect().top;
  change();
  window.scrollBy({ top: first.getBoundingClientRect().top - top, behavior: "instant" });
}

function head(session, costs) {
  return element(
    "div",
    { class: "view-head" },
    element(
      "div",
      {},
      element("h1", {}, words(session.name)),
      element("p", { class: "soft figures" }, `${counted(session.turns, "turn")}, ${period(session.first, session.last)}`),
    ),
    element(
      "div",
      { class: "actions" },
      costs.control,
      button("Forget session", () => confirmForget({ session: session.name, turns: session.turns }), { class: "quiet risky" }),
    ),
  );
}

function legendOf(costs) {
  const made = legend();
  made.hidden = true;
  costs.control.addEventListener("click", () => (made.hidden = costs.control.getAttribute("aria-pressed") !== "true"));
  return made;
}

function about(session) {
  const list = element("ul");
  const made = element("details", { class: "gist-of" }, element("summary", {}, "What it was about, in its own words"), list);
  made.addEventListener("toggle", () => {
    if (!made.open || list.children.length) return;
    attempt(async () => {
      const { turns } = await api.summary(session.name);
      list.replaceChildren(
        ...turns.map((turn) => element("li", { dir: "auto" }, element("b", {}, words(turn.place ?? turn.name ?? turn.role)), ` ${turn.text}`)),
      );
    });
  });
  return made;
}

/** A switch that colours the tokens of the turns that are in view, and of those that come into it. */
function costsInView(feed) {
  let shown = false;
  const control = button("Show what tokens cost", () => {
    shown = !shown;
    control.setAttribute("aria-pressed", String(shown));
    for (const one of feed.children) {
      view.unobserve(one);
      if (shown) view.observe(one);
      else toggleTokens(one, false);
    }
  }, { "aria-pressed": "false" });
  const view = new IntersectionObserver((seen) => {
    for (const one of seen) {
      one.target.inView = one.isIntersecting;
      if (one.isIntersecting) setTimeout(() => colour(one.target), DWELL_MS);
    }
  });
  async function colour(one) {
    if (shown && one.inView && !one.costs) await toggleTokens(one, true).catch(refuse);
  }
  return { control, watch: (cards) => shown && cards.forEach((one) => view.observe(one)) };
}
