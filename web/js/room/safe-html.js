// safe-html.js: the only module that makes markup of a string. The server renders and sanitises the formatting of a
// message. Here its HTML is parsed inertly (nothing loads, nothing runs), and only the elements and attributes listed
// below are copied to new elements. So a mistake in the server's sanitiser does no harm here.
import { t } from "../ui/i18n.js";
import { safeHref } from "../ui/text.js";
import { codeBlock } from "./code-block.js";
import { cover } from "./spoiler.js";

const ALLOWED = new Set([
  "P",
  "BR",
  "STRONG",
  "EM",
  "DEL",
  "CODE",
  "PRE",
  "UL",
  "OL",
  "LI",
  "BLOCKQUOTE",
  "A",
  "H3",
  "H4",
  "H5",
  "H6",
  "HR",
  "TABLE",
  "THEAD",
  "TBODY",
  "TR",
  "TH",
  "TD",
  "SPAN",
  "INPUT",
]);
const DROPPED = new Set([
  "SCRIPT",
  "STYLE",
  "TEMPLATE",
  "IFRAME",
  "OBJECT",
  "SVG",
  "MATH",
  "NOSCRIPT",
  "TITLE",
  "TEXTAREA",
]);
const SPAN_CLASS = /^(?:spoiler|host|c|gd|gh|gi|k|m|na|nb|nf|nt|nv|s)$/; // the short ones colour code
const TASK = ":scope > input:first-child, :scope > p:first-child > input:first-child"; // the box of a task
const MAX_DEPTH = 40; // deeper nesting is flattened

/** Trusted Types, where the browser has them (TypeScript's DOM library does not yet).
 * @typedef {{ createHTML: (html: string) => string, createScriptURL: (url: string) => string }} Policy
 * @typedef {{ createPolicy: (name: string, rules: Policy) => Policy }} TrustedTypes */
const { trustedTypes } = /** @type {{ trustedTypes?: TrustedTypes }} */ (globalThis);
const WORKER = "/sw.js"; // the only script that the page names
const policy = trustedTypes?.createPolicy("parley", {
  createHTML: (html) => html,
  createScriptURL: (url) => (url === WORKER ? url : ""),
});

/** Returns the URL of the service worker, as one that may be run. */
export const workerURL = () => policy?.createScriptURL(WORKER) ?? WORKER;

/** Returns the allowed elements of html as nodes. @param {string} html  @returns {DocumentFragment} */
export function safeFragment(html) {
  const fragment = document.createDocumentFragment();
  copy(inertTree(html), fragment, 0);
  return fragment;
}

/** Returns html as an inert tree, to be read but not inserted into the page.
 * @param {string} html  @returns {DocumentFragment} */
export function inertTree(html) {
  const inert = document.createElement("template"); // its content belongs to a document without a window
  inert.innerHTML = policy ? policy.createHTML(html) : html;
  return inert.content;
}

/** @param {Node} from  @param {Node} to  @param {number} depth */
function copy(from, to, depth) {
  for (const node of from.childNodes) {
    if (node instanceof Text) to.appendChild(document.createTextNode(node.data));
    else if (node instanceof Element && !DROPPED.has(node.tagName.toUpperCase())) {
      const element = ALLOWED.has(node.tagName) && depth < MAX_DEPTH ? twin(node) : null;
      copy(node, element ?? to, depth + 1);
      if (element) to.appendChild(fitted(element));
    }
  }
}

/** Returns a copy of an allowed element with its allowed attributes only, or null if just its text may stay.
 * @param {Element} node */
function twin(node) {
  const element = document.createElement(node.tagName);
  const name = node.getAttribute("class") ?? "";
  if (element instanceof HTMLAnchorElement) {
    const href = safeHref(node.getAttribute("href") ?? "");
    if (!href) return null;
    outward(element, href);
  }
  if (element instanceof HTMLSpanElement) {
    if (!SPAN_CLASS.test(name)) return null;
    element.className = name;
  }
  if (element instanceof HTMLInputElement) {
    if (node.getAttribute("type") !== "checkbox") return null;
    tick(element, node.hasAttribute("checked"));
  }
  const start = wholeNumber(node, "start");
  if (element instanceof HTMLOListElement && start !== null) element.start = start;
  const number = wholeNumber(node, "value");
  if (element instanceof HTMLLIElement && number !== null) element.value = number;
  const side = node.getAttribute("align") ?? "";
  if (element instanceof HTMLTableCellElement && /^(?:left|center|right)$/.test(side)) element.align = side;
  const language = node.tagName === "CODE" && /^language-[\w+#.-]{1,32}$/.exec(name);
  if (language) element.className = language[0];
  return element;
}

/** Returns a number from 0 on that an attribute has, or null. @param {Element} node  @param {string} name */
function wholeNumber(node, name) {
  const value = node.getAttribute(name) ?? "";
  return /^\d{1,9}$/.test(value) ? Number(value) : null;
}

/** Makes a disabled checkbox of a task list.
 * @param {HTMLInputElement} input  @param {boolean} done */
function tick(input, done) {
  input.type = "checkbox";
  input.disabled = true;
  input.defaultChecked = done;
  input.setAttribute("aria-label", done ? t("message.done") : t("message.to-do"));
}

/** Returns a complete element, wrapped if it needs a frame: code with a copy button, tables that scroll, spoilers.
 * @param {HTMLElement} element */
function fitted(element) {
  if (element instanceof HTMLPreElement) return codeBlock(element);
  if (element instanceof HTMLTableElement) return scroller(element);
  if (element instanceof HTMLOListElement) makeRoom(element);
  if (element instanceof HTMLLIElement && element.querySelector(TASK)) element.className = "task";
  if (element.className === "spoiler") cover(element);
  return element;
}

/** Makes room for all digits of a list's numbers. @param {HTMLOListElement} list */
function makeRoom(list) {
  let last = list.start - 1;
  let digits = 1;
  for (const item of list.children) {
    const typed = item instanceof HTMLLIElement && item.hasAttribute("value");
    last = typed ? item.value : last + 1;
    digits = Math.max(digits, String(last).length);
  }
  if (digits > 1) list.style.setProperty("--digits", String(digits));
}

/** Wraps a table in a frame that scrolls sideways, also by keyboard. @param {HTMLTableElement} table */
function scroller(table) {
  const frame = document.createElement("div");
  frame.className = "table";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", t("message.table"));
  frame.append(table);
  return frame;
}

/** Makes an outgoing link: it opens a new tab, sends no referrer and gives no access to this page.
 * @param {HTMLAnchorElement} a  @param {string} href */
function outward(a, href) {
  a.href = href;
  a.target = "_blank";
  a.rel = "noopener noreferrer nofollow";
}
