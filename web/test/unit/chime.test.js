// The chime: two tones, and none that waits for the first click on the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chime } from "../../js/list/chime.js";

/** The pitches of the tones that were started. @type {number[]} */
const played = [];

class FakeAudio {
  state = "suspended";
  currentTime = 0;
  destination = {};
  async resume() {
    this.state = "running";
  }
  createGain() {
    const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    return { gain, connect() {} };
  }
  createOscillator() {
    const frequency = { value: 0 };
    return { frequency, connect() {}, stop() {}, start: () => void played.push(frequency.value) };
  }
}

test("nothing is played, nor kept for later, before the first click or key", async () => {
  const userActivation = { hasBeenActive: false };
  Object.defineProperty(globalThis, "navigator", { value: { userActivation }, configurable: true });
  Object.assign(globalThis, { AudioContext: FakeAudio });
  for (let i = 0; i < 5; i++) await chime();
  assert.deepEqual(played, []);
  userActivation.hasBeenActive = true;
  await chime();
  assert.equal(played.length, 2, "one chime, and none of the missed ones");
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true }); // an older browser
  await chime();
  assert.equal(played.length, 4);
});
