// code-block.js: a fenced code block with its language and a button that copies it.
import { copyText } from "../ui/clipboard.js";
import { t } from "../ui/i18n.js";
import { say } from "../ui/toast.js";

/** Returns a frame around code. @param {HTMLPreElement} pre */
export function codeBlock(pre) {
  pre.tabIndex = 0; // so that the keyboard can scroll it sideways
  const bar = document.createElement("div");
  bar.className = "code-bar";
  const language = document.createElement("span");
  language.textContent = pre.querySelector("code")?.className.replace("language-", "") ?? "";
  bar.append(language, copyButton(pre));
  const frame = document.createElement("div");
  frame.className = "code-block";
  frame.append(bar, pre);
  return frame;
}

/** @param {HTMLPreElement} pre */
function copyButton(pre) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.tabIndex = -1; // until its message has the focus
  button.dataset["rove"] = "";
  button.textContent = t("message.copy-code");
  button.addEventListener("click", async () => {
    const copied = await copyText((pre.textContent ?? "").replace(/\n$/, ""));
    say(copied ? t("message.code-copied") : t("message.code-not-copied"));
  });
  return button;
}
