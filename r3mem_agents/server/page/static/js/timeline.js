// Sessions along time: where a bar stands says when a session was, its height how many turns it has.

import { drawn, element } from "./dom.js";
import { counted, period } from "./format.js";

const HEIGHT = 84;
const BASE = 60;
const LEAST = 5;
const DAY = 86_400_000;

/** Steps of the axis, smallest first: how long one is, how it is written, and the next tick. */
const STEPS = [
  [DAY / 24, { hour: "2-digit", minute: "2-digit" }, (d) => d.setHours(d.getHours() + 1, 0, 0, 0)],
  [DAY / 4, { day: "numeric", month: "short", hour: "2-digit" }, (d) => d.setHours(d.getHours() + 6 - (d.getHours() % 6), 0, 0, 0)],
  [DAY, { day: "numeric", month: "short" }, (d) => d.setHours(24, 0, 0, 0)],
  [7 * DAY, { day: "numeric", month: "short" }, (d) => d.setHours(24 * (7 - ((d.getDay() + 6) % 7)), 0, 0, 0)],
  [30.4 * DAY, { month: "short", year: "numeric" }, (d) => nextMonth(d, 1)],
  [91.3 * DAY, { month: "short", year: "numeric" }, (d) => nextMonth(d, 3 - (d.getMonth() % 3))],
  [365.25 * DAY, { year: "numeric" }, (d) => nextMonth(d, 12 - d.getMonth())],
  [3652.5 * DAY, { year: "numeric" }, (d) => nextMonth(d, 12 * (10 - (d.getFullYear() % 10)) - d.getMonth())],
];

function nextMonth(date, months) {
  date.setHours(0, 0, 0, 0);
  date.setMonth(date.getMonth() + months, 1);
}

/** Draw sessions into an element, as wide as it is. */
export function drawTimeline(into, sessions, { current, found, choose }) {
  const width = into.clientWidth;
  const times = sessions.map((one) => [Date.parse(one.first), Date.parse(one.last)]);
  let start = Math.min(...times.map(([first]) => first));
  let end = Math.max(...times.map(([, last]) => last));
  const room = Math.max((end - start) * 0.02, DAY / 48);
  [start, end] = [start - room, end + room];
  const x = (time) => ((time - start) / (end - start)) * width;
  const most = Math.max(...sessions.map((one) => one.turns));
  const bars = sessions.map((one, at) => {
    const [first, last] = times[at];
    const height = 6 + (BASE - 18) * Math.sqrt(one.turns / most);
    const wide = Math.max(x(last) - x(first), LEAST);
    const left = Math.min(x(first), width - wide);
    return drawn(
      "g",
      {},
      drawn(
        "rect",
        { class: `bar${one.name === current ? " current" : ""}`, x: left, y: BASE - height, width: wide, height, rx: 2, click: () => choose(one.name) },
        drawn("title", {}, `${one.name}: ${counted(one.turns, "turn")}, ${period(one.first, one.last)}`),
      ),
      found.has(one.name) && drawn("circle", { class: "hit", cx: left + wide / 2, cy: BASE - height - 8, r: 4 }),
    );
  });
  const told = `${counted(sessions.length, "session")} from ${period(new Date(start + room), new Date(end - room))}; the list of sessions says the same.`;
  into.replaceChildren(
    drawn(
      "svg",
      { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": told },
      ...ticks(start, end, width).map(([time, label]) => tick(x(time), label, width)),
      drawn("line", { class: "axis", x1: 0, x2: width, y1: BASE + 0.5, y2: BASE + 0.5 }),
      ...bars,
    ),
  );
}

function ticks(start, end, width) {
  const most = Math.max(width / 110, 3.5);
  const [, written, next] = STEPS.find(([long]) => (end - start) / long <= most) ?? STEPS.at(-1);
  const format = new Intl.DateTimeFormat(undefined, written);
  const made = [];
  for (const at = new Date(start); next(at), at.getTime() < end && made.length < 40; ) {
    made.push([at.getTime(), format.format(at)]);
  }
  return made;
}

function tick(x, label, width) {
  const anchor = x > width - 50 ? "end" : x < 50 ? "start" : "middle";
  return drawn(
    "g",
    {},
    drawn("line", { class: "axis", x1: x, x2: x, y1: BASE, y2: BASE + 5 }),
    drawn("text", { x, y: BASE + 19, "text-anchor": anchor }, label),
  );
}

/** The section of the page, drawn anew whenever its width changes. */
export function timeline(section) {
  let last = null;
  new ResizeObserver(() => last && drawTimeline(...last)).observe(section);
  return (sessions, options) => {
    section.hidden = sessions.length === 0;
    last = sessions.length ? [section, sessions, options] : null;
    if (last) drawTimeline(...last);
    else section.replaceChildren(element("span"));
  };
}
