// Conditions on metadata, as many as are asked for; all of them must hold.

import { button, byId, element } from "./dom.js";

const SIGNS = { $eq: "=", $ne: "≠", $gt: ">", $gte: "≥", $lt: "<", $lte: "≤" };
const NAMES = { $eq: "is", $ne: "is not", $gt: "is more than", $gte: "is at least", $lt: "is less than", $lte: "is at most" };

const rows = () => [...byId("conditions").children];
const fields = (row) => [".key", "select", ".value"].map((one) => row.querySelector(one));

/** The conditions, as a lookup takes them; undefined if there are none. */
export function conditions() {
  const where = {};
  for (const row of rows()) {
    const [key, sign, value] = fields(row).map((one) => one.value.trim());
    if (key) (where[`metadata.${key}`] ??= {})[sign] = read(value);
  }
  return Object.keys(where).length ? where : undefined;
}

/** A value as JSON, or else as text; a number that is too large for the browser as it is written. */
function read(text) {
  try {
    const value = JSON.parse(text);
    return Math.abs(value) > Number.MAX_SAFE_INTEGER && JSON.rawJSON ? JSON.rawJSON(text) : value;
  } catch {
    return text;
  }
}

function row() {
  const made = element(
    "div",
    { class: "condition", role: "group", "aria-label": "Condition" },
    element(
      "span",
      { class: "path" },
      element("span", { "aria-hidden": "true" }, "metadata."),
      element("input", { class: "key", "aria-label": "Metadata key", list: "known-keys", autocomplete: "off", spellcheck: "false", focus: suggest }),
    ),
    element(
      "select",
      { "aria-label": "Comparison" },
      ...Object.entries(SIGNS).map(([sign, shown]) => element("option", { value: sign, "aria-label": NAMES[sign], title: NAMES[sign] }, shown)),
    ),
    element("input", { class: "value", "aria-label": "Value", autocomplete: "off", spellcheck: "false", placeholder: "text, 3, true, null" }),
    button("×", () => remove(made), { class: "quiet square", "aria-label": "Remove the condition" }),
  );
  return made;
}

function remove(gone) {
  const next = gone.nextElementSibling ?? gone.previousElementSibling;
  gone.remove();
  check();
  (next?.querySelector(".key") ?? byId("add-condition")).focus();
}

/** Offer the keys of the turns in view. */
function suggest() {
  const known = new Set([...document.querySelectorAll(".turn")].flatMap(({ turn }) => paths(turn?.metadata)));
  byId("known-keys").replaceChildren(...[...known].sort().map((value) => element("option", { value })));
}

function paths(value, path = []) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return path.length ? [path.join(".")] : [];
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, [...path, key]));
}

/** Refuse a value without a key, and what could not be asked: one key compared twice in one way. */
function check() {
  const seen = new Set();
  for (const [key, sign, value] of rows().map(fields)) {
    const path = key.value.trim();
    const asked = JSON.stringify([path, sign.value]);
    key.required = value.value !== "";
    sign.setCustomValidity(path && seen.has(asked) ? `${path} ${SIGNS[sign.value]} is asked for above. Remove one of the two.` : "");
    seen.add(asked);
  }
}

/** Let conditions be added, and cleared with the other filters. */
export function startConditions() {
  byId("add-condition").addEventListener("click", () => {
    byId("conditions").append(row());
    byId("conditions").lastElementChild.querySelector(".key").focus();
  });
  byId("conditions").addEventListener("input", check);
  byId("ask").addEventListener("reset", () => byId("conditions").replaceChildren());
}
