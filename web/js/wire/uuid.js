// uuid.js: UUIDv7 (RFC 9562 §5.7). crypto.randomUUID makes version 4, and only in a secure context. No DOM.

let lastMs = 0;
let counter = 0;

/** Returns a new id. The ids that one page makes sort in the order of their making, even within one millisecond or
 * when the clock is set back: `rand_a` is a counter (RFC 9562 §6.2, method 1).
 * @param {number} [now] milliseconds  @returns {string} */
export function uuid7(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  if (now > lastMs) {
    lastMs = now;
    counter = bytes[6] ?? 0; // starts low, so that there is room above
  } else if (++counter > 0xfff) {
    lastMs++;
    counter = 0;
  }
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(lastMs / 2 ** 32));
  view.setUint32(2, lastMs % 2 ** 32);
  view.setUint16(6, 0x7000 | counter);
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
