// A list is one stop of the Tab key: arrows move within it, and Tab enters the current item's controls.

const CONTROLS = "button, a[href], input, textarea, summary";

/** Let arrows move through the items of a list that match a selector. */
export function roving(list, selector) {
  let current = null;

  function reachable(item, yes) {
    item.tabIndex = yes ? 0 : -1;
    for (const control of item.querySelectorAll(CONTROLS)) control.tabIndex = yes ? 0 : -1;
  }

  function arrive(item) {
    if (item === current) return;
    if (current) reachable(current, false);
    current = item;
    if (current) reachable(current, true);
  }

  list.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) arrive(item);
  });
  list.addEventListener("keydown", (event) => {
    const item = event.target.closest(selector);
    if (!item || event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = [...list.querySelectorAll(selector)];
    const at = items.indexOf(item);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || !items[to]) return;
    event.preventDefault();
    items[to].focus();
  });

  return {
    /** Take in items that are new, so that exactly one of all can be reached. */
    admit(items) {
      for (const item of items) reachable(item, false);
      if (!current?.isConnected) arrive(list.querySelector(selector));
    },
    /** Make an item the one that Tab reaches. */
    arrive,
  };
}
