// Why a turn was found: the evidence of each level as a bar, and its grounds in words.

import { element, styled } from "./dom.js";
import { signed } from "./format.js";

const TOLD = 0.005;

/** The range of log-odds over all hits, so that bars of different hits can be compared. */
export function range(recalled) {
  const all = recalled.flatMap((one) => Object.values(one.explanation?.evidence ?? {})).map((one) => one.log_odds);
  return { least: Math.min(0, ...all), most: Math.max(0.01, ...all) };
}

/** A table with a row for each level that had something to say. */
export function evidence(explanation, name, { least, most }) {
  const levels = Object.entries(explanation.evidence).filter(
    ([, one]) => Math.abs(one.log_odds) >= TOLD || one.reasons.length,
  );
  const percent = (odds) => `${(100 * odds) / (most - least)}%`;
  const rows = levels.map(([level, one]) => {
    const bar = styled(element("span", { class: "bar", "aria-hidden": "true" }, element("i")), {
      "--zero": percent(-least),
      "--from": percent(Math.min(one.log_odds, 0) - least),
      "--width": percent(Math.abs(one.log_odds)),
    });
    return element(
      "tr",
      { class: one.log_odds < 0 ? "against" : "for" },
      element("th", { scope: "row" }, level),
      element("td", { class: "odds" }, bar, element("span", {}, signed(one.log_odds))),
      element("td", { class: "reasons", dir: "auto" }, one.reasons.join("; ")),
    );
  });
  return element(
    "table",
    { class: "evidence" },
    element("caption", { class: "hidden" }, `Evidence for the turn of ${name}, by level`),
    element(
      "thead",
      { class: "hidden" },
      element("tr", {}, ...["Level", "Log-odds", "Reasons"].map((title) => element("th", { scope: "col" }, title))),
    ),
    element("tbody", {}, ...rows),
    element(
      "tfoot",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "row" }, "sum"),
        element("td", { class: "odds" }, element("span", { class: "bar none" }), element("span", {}, signed(explanation.log_odds))),
        element("td", { class: "notes" }, explanation.notes.join("; ")),
      ),
    ),
  );
}
