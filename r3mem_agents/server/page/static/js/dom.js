// Elements. Children that are strings become text nodes: no word of a memory is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function build(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

/** An element with attributes (functions are listeners) and children (strings are text). */
export function element(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function drawn(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/** A button that submits nothing. */
export function button(label, pressed, attributes = {}) {
  return element("button", { type: "button", click: pressed, ...attributes }, label);
}

/** Words that may run in either direction, set apart from the words around them. */
export function words(text) {
  return element("bdi", {}, text);
}

/** Set custom properties of CSS, which the policy allows where style attributes are not. */
export function styled(made, properties) {
  for (const [name, value] of Object.entries(properties)) made.style.setProperty(name, value);
  return made;
}

export const byId = (id) => document.getElementById(id);
