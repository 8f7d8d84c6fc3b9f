// insert.js: changes the text of a field for the person so that Ctrl+Z takes it back.

// The time of an insertion that can be undone grows with the square of its lines: 2,000 lines take seconds.
const MAX_LINES = 400;
const MAX_LENGTH = 20_000; // characters

/** Replaces a part of a field's text, and puts the caret behind it. The field gets the focus and an `input` event.
 * @param {HTMLTextAreaElement} field  @param {number} from  @param {number} to  @param {string} text */
export function replaceText(field, from, to, text) {
  field.focus({ preventScroll: true });
  field.setSelectionRange(from, to);
  if (from === to && !text) return;
  const short = text.length <= MAX_LENGTH && text.split("\n", MAX_LINES + 1).length <= MAX_LINES;
  // The only way to change a field so that the browser can undo it.
  if (short && document.execCommand(text ? "insertText" : "delete", false, text)) return;
  const before = field.value;
  change(field, () => field.setRangeText(text, from, to, "end"));
  undoOnce(field, before, to);
}

/** Changes a field as if by a key. @param {HTMLTextAreaElement} field  @param {() => void} how */
function change(field, how) {
  how();
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** Takes a change of a field back when the next key is Ctrl+Z.
 * @param {HTMLTextAreaElement} field  @param {string} before  @param {number} caret */
function undoOnce(field, before, caret) {
  const after = field.value;
  const done = new AbortController();
  field.addEventListener(
    "keydown",
    (e) => {
      if (!/^[a-z]$/i.test(e.key)) return; // Ctrl alone, or the caret moves
      done.abort();
      if (e.key !== "z" || !(e.ctrlKey || e.metaKey) || field.value !== after) return;
      e.preventDefault();
      change(field, () => (field.value = before));
      field.setSelectionRange(caret, caret);
    },
    { signal: done.signal },
  );
}
