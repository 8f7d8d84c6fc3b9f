// chime.js: two short, soft tones, made by the browser without a sound file.

const NOTES = [659.26, 880]; // E5, A5
const LENGTH_S = 0.16;
const LOUD = 0.06;

/** @type {AudioContext | undefined} */
let audio;

/** Plays the chime. Browsers stay silent before the first click or key press on the page: what they are asked to play
 * until then they would play all at once. */
export async function chime() {
  if (navigator.userActivation?.hasBeenActive === false) return;
  try {
    const on = (audio ??= new AudioContext());
    if (on.state === "suspended") await on.resume();
    NOTES.forEach((pitch, i) => tone(on, pitch, i * LENGTH_S * 0.7));
  } catch {
    // no sound device
  }
}

/** @param {AudioContext} on  @param {number} pitch  @param {number} after */
function tone(on, pitch, after) {
  const start = on.currentTime + after;
  const gain = on.createGain();
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(LOUD, start + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH_S * 2);
  gain.connect(on.destination);
  const sound = on.createOscillator();
  sound.frequency.value = pitch;
  sound.connect(gain);
  sound.start(start);
  sound.stop(start + LENGTH_S * 2);
}
