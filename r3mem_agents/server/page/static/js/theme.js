// Light, dark, or as the system has it.

import { byId } from "./dom.js";

const THEMES = { system: "◐", light: "☀", dark: "☾" };

function show(theme) {
  document.documentElement.dataset.theme = theme;
  const control = byId("theme");
  control.textContent = THEMES[theme];
  control.setAttribute("aria-label", `Theme: ${theme}`);
  control.title = `Theme: ${theme}`;
}

/** Let the button go round the themes. */
export function startTheme() {
  const names = Object.keys(THEMES);
  const current = () => document.documentElement.dataset.theme;
  show(names.includes(current()) ? current() : "system");
  byId("theme").addEventListener("click", () => {
    const next = names[(names.indexOf(current()) + 1) % names.length];
    localStorage.setItem("r3mem-theme", next);
    show(next);
  });
}
