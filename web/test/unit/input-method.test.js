import assert from "node:assert/strict";
import { test } from "node:test";
import { keepFromPage } from "../../js/ui/input-method.js";

/** Presses a key on a page that has a listener, and returns what the listener was told and whether the key still does
 * what it does. @param {object} how */
function press(how) {
  const page = new EventTarget();
  /** @type {string[]} */
  const heard = [];
  keepFromPage(page);
  page.addEventListener("keydown", (e) => {
    heard.push(/** @type {KeyboardEvent} */ (e).key);
    e.preventDefault();
  });
  const e = Object.assign(new Event("keydown", { cancelable: true }), { isComposing: false, keyCode: 0, ...how });
  return { heard, works: page.dispatchEvent(e) };
}

test("no listener is told of a key that an input method uses, however the browser says so", () => {
  for (const how of [
    { key: "Enter", isComposing: true, keyCode: 229 },
    { key: "Enter", isComposing: true, keyCode: 13 }, // Firefox
    { key: "Enter", isComposing: false, keyCode: 229 }, // Safari, at the end of a composition
    { key: "Process", isComposing: false, keyCode: 229 }, // the first key of a composition
    { key: "Escape", isComposing: true },
    { key: "ArrowDown", isComposing: true },
  ])
    assert.deepEqual(press(how), { heard: [], works: true }, JSON.stringify(how));
});

test("other keys reach the page", () => {
  assert.deepEqual(press({ key: "Enter", keyCode: 13 }), { heard: ["Enter"], works: false });
  assert.deepEqual(press({ key: "あ" }), { heard: ["あ"], works: false }, "a key of a Japanese keyboard");
});
