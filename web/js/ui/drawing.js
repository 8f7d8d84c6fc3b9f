// drawing.js: icons that modules which are loaded late bring along. All others are symbols in index.html.

const SVG = "http://www.w3.org/2000/svg";

/** Returns an icon of 24 by 24 units, drawn with lines. @param {string} path */
export function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.classList.add("icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
