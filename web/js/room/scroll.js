// scroll.js: keeps what a person looks at where it is, whatever is put in or taken out above, below or
// between, and whatever changes its height. The browser's own anchoring is switched off (message-list
// css), since not every browser has it and two that correct each other make the view jump.

const NEAR_END = 24; // px from the end that count as being there

export class ScrollAnchor {
  /** Whether the view sticks to the end. */
  atEnd = true;
  /** @type {{ element: HTMLElement, offset: number } | null} the row to hold, and its distance from the top */
  #anchor = null;
  #placed = -1; // where restore has put the view; -1 once the person has scrolled
  #width = 0; // the scroller's when the anchor was chosen

  /** @param {HTMLElement} scroller may be put in later  @param {() => Iterable<HTMLElement>} rows in order */
  constructor(scroller, rows) {
    this.scroller = scroller;
    this.rows = rows;
  }

  /** The scroller has told that it scrolled. If the person did it, remember what they look at. If restore did it, what is
   * held stays held; so it does if lines have broken elsewhere, as then the scroller stands somewhere by chance. */
  onScroll() {
    const { scrollTop, clientWidth } = this.scroller;
    if (scrollTop === this.#placed) return;
    if (clientWidth !== this.#width) return this.restore();
    this.look();
  }

  /** Remembers what is in view now. */
  look() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.#placed = -1;
    this.atEnd = scrollHeight - scrollTop - clientHeight <= NEAR_END;
    this.anchor();
  }

  /** Rows are about to change: hold what is in view now. @param {boolean} newest whether the end is the log's end, and worth sticking to */
  prepare(newest) {
    this.atEnd &&= newest;
    if (!this.atEnd) this.anchor();
  }

  /** Chooses the row to be held: the first that begins in view, since one that began above may lose its name to
   * the group before it; but that one if it fills the view. */
  anchor() {
    const { top, bottom } = this.scroller.getBoundingClientRect();
    this.#anchor = null;
    this.#width = this.scroller.clientWidth;
    for (const element of this.rows()) {
      const box = element.getBoundingClientRect();
      if (box.bottom <= top + 1) continue;
      if (box.top >= bottom) return;
      this.#anchor = { element, offset: box.top - top };
      if (box.top >= top) return;
    }
  }

  /** Something changed: bring back what was looked at. */
  restore() {
    const { scroller } = this;
    this.#width = scroller.clientWidth;
    if (this.atEnd) {
      scroller.scrollTop = scroller.scrollHeight;
    } else if (this.#anchor?.element.isConnected) {
      const moved = this.#anchor.element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - this.#anchor.offset;
      if (Math.abs(moved) < 0.5) return;
      scroller.scrollTop += moved;
    } else return;
    this.#placed = scroller.scrollTop;
  }

  /** What is looked at now; to be brought back when the scroller, taken off the page, is on it again. */
  snapshot() {
    return { atEnd: this.atEnd, anchor: this.#anchor };
  }

  /** @param {ReturnType<ScrollAnchor["snapshot"]>} held */
  restoreSnapshot({ atEnd, anchor }) {
    this.atEnd = atEnd;
    this.#anchor = anchor;
    this.restore();
  }

  toEnd() {
    this.atEnd = true;
    this.restore();
  }

  /** Shows a row, a third from the top. @param {HTMLElement} element */
  to(element) {
    const { scroller } = this;
    const offset = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    scroller.scrollTop += offset - scroller.clientHeight / 3;
    this.look();
  }
}
