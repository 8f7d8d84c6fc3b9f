// chime.js: two short, soft tones, made by the browser without a sound file.

const NOTES = [659.26, 880]; // E5, A5
const LENGTH_S = 0.16;
const LOUD = 0.06;

/** @type {AudioContext | undefined} */
let audio;

/** Plays the chime. Browsers stay silent before the first click or key press on the page. */
export function chime() {
  try {
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume().catch(() => undefined);
    NOTES.forEach((pitch, i) => tone(/** @type {AudioContext} */ (audio), pitch, i * LENGTH_S * 0.7));
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
