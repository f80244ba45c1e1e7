// What each token of a turn cost: inferred by the model, cheap, or a surprise that had to be stored.

import * as api from "./api.js";
import { element } from "./dom.js";
import { count, counted } from "./format.js";
import { marked } from "./turn.js";

/** Bits from which a token is a surprise; chosen. */
const SURPRISE = 10;

const KINDS = {
  inferred: "inferred: the model's first guess",
  cheap: `cheap: under ${SURPRISE} bits`,
  surprising: `surprising: ${SURPRISE} bits and more`,
};

export function kind(token) {
  if (token.inferred) return "inferred";
  return token.bits < SURPRISE ? "cheap" : "surprising";
}

/** What the colours mean. */
export function legend() {
  const items = Object.entries(KINDS).map(([name, meaning]) => {
    const [label, ...rest] = meaning.split(":");
    return element("li", {}, element("span", { class: `token ${name}` }, label), rest.join(":"));
  });
  return element("ul", { class: "legend", "aria-label": "Colours of tokens" }, ...items);
}

/** Colour a turn's tokens, or show its plain words again. */
export async function toggleTokens(made, wanted = !made.costs) {
  if (wanted === Boolean(made.costs)) return;
  const control = made.querySelector('[data-action="tokens"]');
  if (!wanted) {
    made.costs = null;
    made.querySelector(".text").replaceChildren(...marked(made.turn.text, []));
    made.querySelector(".spent")?.remove();
    control?.setAttribute("aria-pressed", "false");
    return;
  }
  made.costs = [];
  try {
    made.costs = await api.tokens(made.turn.id);
  } catch (error) {
    made.costs = null;
    throw error;
  }
  const text = made.querySelector(".text");
  if (!text) return;
  made.querySelector(".more")?.remove();
  text.replaceChildren(...made.costs.flatMap(coloured));
  text.after(spent(made.costs));
  control?.setAttribute("aria-pressed", "true");
}

function coloured(token) {
  const [, space, rest] = token.text.match(/^(\s*)([^]*)$/);
  const told = token.inferred ? `${token.bits.toFixed(1)} bits, inferred` : `${token.bits.toFixed(1)} bits`;
  const made = element("span", { class: `token ${kind(token)}`, title: told }, rest || space);
  return rest ? [space, made] : [made];
}

function spent(tokens) {
  const bits = tokens.reduce((sum, token) => sum + token.bits, 0);
  const kinds = tokens.map(kind);
  const share = Object.keys(KINDS).map((name) => `${count(kinds.filter((one) => one === name).length)} ${name}`);
  const rate = tokens.length ? `, ${(bits / tokens.length).toFixed(1)} a token` : "";
  return element("p", { class: "spent figures" }, `${counted(tokens.length, "token")}: ${share.join(", ")}; ${count(Math.round(bits))} bits${rate}`);
}
