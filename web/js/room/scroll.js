// scroll.js: keeps what the person looks at in place while rows are inserted, removed or resized. The browser's own
// scroll anchoring is switched off (log.css): not every browser has it, and two that correct each other make the view
// jump.

const NEAR_END = 24; // px from the end that count as the end

export class ScrollAnchor {
  /** Whether the view sticks to the end. */
  atEnd = true;
  /** What to hold in place, and its distance from the top: a row or, in a row that fills the view, a part of its text.
   * @type {{ row: HTMLElement, element: Element, offset: number } | null} */
  #anchor = null;
  #kept = false; // the anchor stays until the person scrolls, because they have opened or closed it
  #placed = -1; // the scrollTop that restore left; -1 once the person has scrolled
  #top = -1; // the scrollTop at which the anchor was chosen or restored
  #width = 0; // the scroller's width at that time

  /** @param {HTMLElement} scroller may be replaced later  @param {() => Iterable<HTMLElement>} rows in order */
  constructor(scroller, rows) {
    this.scroller = scroller;
    this.rows = rows;
  }

  /** Handles a scroll event. If the person scrolled, it chooses a new anchor. If restore scrolled, the anchor stays. If
   * the width changed, lines break elsewhere and the scroll position is arbitrary, so the anchor is restored. */
  onScroll() {
    const { scrollTop, clientWidth } = this.scroller;
    if (scrollTop === this.#placed) return;
    if (clientWidth !== this.#width) return this.restore();
    this.look();
  }

  /** Chooses the anchor from what is in view now. */
  look() {
    this.#placed = -1;
    this.#kept = false;
    this.atEnd = this.#below() <= NEAR_END;
    this.anchor();
  }

  /** Returns how much of the log is below the view. */
  #below() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Changes the height of a row, so that a part of it stays where it is, or the row's beginning comes into view if
   * that part is not its beginning. Then the row is held, also at the end.
   * @param {HTMLElement} row  @param {Element} part  @param {() => void} change */
  keep(row, part, change) {
    const { scroller } = this;
    const top = () => part.getBoundingClientRect().top;
    const before = top();
    change();
    scroller.scrollTop += top() - before;
    const offset = () => row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    if (part !== row && offset() < 0) scroller.scrollTop += offset();
    this.#top = this.#placed = scroller.scrollTop;
    this.#width = scroller.clientWidth;
    this.atEnd = this.#below() < 1;
    this.#kept = true;
    this.#anchor = { row, element: row, offset: offset() };
  }

  /** Prepares for a change of rows. What has grown since the anchor was chosen is made good for first, or the anchor
   * would be chosen from where that has pushed the rows.
   * @param {boolean} newest whether the last row is the end of the log, so that the view may stick to it */
  prepare(newest) {
    this.atEnd &&= newest;
    if (this.atEnd || (this.#kept && this.#anchor?.row.isConnected)) return;
    if (this.#anchor?.element.isConnected && this.scroller.scrollTop === this.#top) this.restore();
    else this.anchor();
  }

  /** Chooses the row to hold: the first one that begins in view. A row that begins above may change its height when its
   * group grows, so it is chosen only if it fills the view: then the first part of its text that begins there is held,
   * because what is above it in the row may grow, too. */
  anchor() {
    const { top, bottom } = this.scroller.getBoundingClientRect();
    this.#anchor = null;
    this.#top = this.scroller.scrollTop;
    this.#width = this.scroller.clientWidth;
    const rows = [...this.rows()];
    const first = firstWhere(rows, (row) => row.getBoundingClientRect().bottom > top + 1);
    for (let i = first; i < rows.length; i++) {
      const element = /** @type {HTMLElement} */ (rows[i]);
      const box = element.getBoundingClientRect();
      if (box.top >= bottom) break;
      this.#anchor = { row: element, element, offset: box.top - top };
      if (box.top >= top) return;
    }
    for (const part of this.#anchor?.row.querySelectorAll(".body > *") ?? []) {
      const offset = part.getBoundingClientRect().top - top;
      if (offset < 0 || !this.#anchor) continue;
      this.#anchor = { ...this.#anchor, element: part, offset };
      return;
    }
  }

  /** Scrolls so that the anchor is where it was. A scroll event that is still to come for this position, such as that
   * of a log inserted again, is not the person's. */
  restore() {
    const { scroller } = this;
    this.#width = scroller.clientWidth;
    if (this.atEnd) {
      scroller.scrollTop = scroller.scrollHeight;
    } else if (this.#anchor?.element.isConnected) {
      const { element, offset } = this.#anchor;
      const moved = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - offset;
      if (Math.abs(moved) >= 0.5) scroller.scrollTop += moved;
    } else return;
    this.#top = this.#placed = scroller.scrollTop;
  }

  /** Returns the position, for restoreSnapshot after the scroller was removed from the page and inserted again. */
  snapshot() {
    return { atEnd: this.atEnd, anchor: this.#anchor };
  }

  /** @param {ReturnType<ScrollAnchor["snapshot"]>} snapshot */
  restoreSnapshot({ atEnd, anchor }) {
    this.atEnd = atEnd;
    this.#anchor = anchor;
    this.restore();
  }

  toEnd() {
    this.atEnd = true;
    this.#kept = false;
    this.restore();
  }

  /** Shows a row that may be out of view. @param {HTMLElement} element */
  reveal(element) {
    const view = this.scroller.getBoundingClientRect();
    const { top, bottom } = element.getBoundingClientRect();
    if (top >= view.top && bottom <= view.bottom) this.restore();
    else this.to(element);
  }

  /** Shows a row, a third from the top. @param {HTMLElement} element */
  to(element) {
    const { scroller } = this;
    const offset = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    scroller.scrollTop += offset - scroller.clientHeight / 3;
    this.look();
  }
}

/** Returns the index of the first row for which something is true, as it is for all rows after it. It halves: a long
 * log measures few of its rows.
 * @param {readonly HTMLElement[]} rows in order  @param {(row: HTMLElement) => boolean} isTrue */
export function firstWhere(rows, isTrue) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(/** @type {HTMLElement} */ (rows[middle]))) high = middle;
    else low = middle + 1;
  }
  return low;
}
