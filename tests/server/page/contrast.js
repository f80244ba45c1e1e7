// Texts on screen whose contrast with what is behind them is below 4.5, by WCAG 2's formula.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const behind = (one) => {
    const own = rgba(getComputedStyle(one).backgroundColor);
    if (own[3] === 1) return own;
    // A dialog is above everything, and has a ground of its own.
    return over(own, one.parentElement ? behind(one.parentElement) : rgba("white"));
  };
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const hard = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const one = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const style = getComputedStyle(one);
    const ground = behind(one);
    const ink = over(rgba(one instanceof SVGElement ? style.fill : style.color), ground);
    const found = ratio(light(ink), light(ground));
    if (found < 4.5) hard.push(`${found.toFixed(2)} ${one.className?.baseVal ?? one.className} ${words.currentNode.data.slice(0, 40)}`);
  }
  for (const field of document.querySelectorAll("input, textarea, select")) {
    if (!field.checkVisibility()) continue;
    const pair = [getComputedStyle(field).color, getComputedStyle(field, "::placeholder").color];
    for (const colour of pair) {
      const found = ratio(light(rgba(colour)), light(behind(field)));
      if (found < 4.5) hard.push(`${found.toFixed(2)} field ${field.name}`);
    }
  }
  return hard;
}
