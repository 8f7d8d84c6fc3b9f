// plain-text.js: a message as text in one line, for places that show only a part of it: without the marks of its
// formatting, and with "▒▒▒" in place of spoilers. The server does the same for quotes and lists (internal/format,
// Preview).
import { HIDDEN, hideBars } from "../ui/text.js";
import { inertTree } from "./safe-html.js";

const APART = /^(?:BR|HR|P|H[3-6]|BLOCKQUOTE|PRE|TD|TH|TR|TABLE|UL|OL)$/; // elements with a space around them

/** @param {{ html?: string, text: string }} message  @returns {string} */
export function plainText({ html, text }) {
  const whole = html ? textOf(inertTree(html)) : hideBars(text);
  return whole.replace(/\s+/g, " ").trim();
}

/** @param {Node} node  @returns {string} */
function textOf(node) {
  let out = "";
  let number = node instanceof Element && node.tagName === "OL" ? Number(node.getAttribute("start") ?? 1) - 1 : null;
  for (const child of node.childNodes) {
    if (!(child instanceof Element)) out += child.textContent ?? "";
    else if (child.className === "spoiler") out += HIDDEN;
    else if (child.tagName === "INPUT") out += child.hasAttribute("checked") ? "☑" : "☐";
    else if (child.tagName === "LI") {
      if (number !== null) number = Number(child.getAttribute("value") ?? number + 1);
      out += ` ${number === null ? "•" : `${number}.`} ${textOf(child)} `;
    } else if (child.className !== "host") out += APART.test(child.tagName) ? ` ${textOf(child)} ` : textOf(child);
  }
  return out;
}
