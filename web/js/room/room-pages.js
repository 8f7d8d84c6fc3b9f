// room-pages.js: the messages that a room's or thread's state holds, and how pages of history change them. No DOM,
// socket or clock.
//
// They are a window: consecutive messages without a gap. Live messages extend the window only if it reaches to
// the newest message. Otherwise they are counted, and read page by page when the person scrolls there. So a gap cannot
// arise, and neither memory nor the DOM grows without limit.
//
// Pages and live events overtake each other. A page says as of which seq it is correct. Each message stores that seq
// (`asOf`) and accepts only later changes, and the newest live events are stored, to be applied to a page that was
// read before they came. A page that is older than the stored events is useless and has to be read again.
/** @import { Page, RoomEvent } from "../wire/types.js" */
/** @import { State } from "./types.js" */
import { applyEvent } from "./message-state.js";
import { belongs, isUsable, resetLog, setTopic } from "./room-state.js";
import { countUnread, recount } from "./unread.js";

export const PAGE = 100; // messages per request
const WINDOW = 400; // messages held; a new page may exceed it until the far end is cut

/** Replaces the window by a page. `lastRead` sets the read mark when the first page is opened; for a newcomer (0)
 * nothing counts as unread.
 * @param {State} s  @param {Page} page  @param {number} lastRead  @returns {State} */
export function openWindow(s, page, lastRead) {
  if (!isUsable(s, page)) return s;
  const fresh = s.epoch !== page.epoch;
  if (fresh && s.epoch) s = resetLog(s, page.epoch);
  const { messages, later } = applyRecent(s, page);
  const newer = page.moreAfter ?? false;
  const next = setTopic(
    {
      ...s,
      epoch: page.epoch,
      head: fresh ? page.seq : s.head,
      headAt: fresh ? (page.at ?? 0) : s.headAt,
      messages: newer ? messages : [...messages, ...later],
      older: page.more,
      newer,
      root: rootOf(s, page),
      pagesLoaded: s.pagesLoaded + 1,
    },
    page.topic,
    page.seq,
  );
  if (!fresh && s.lastRead > 0) return recount(next);
  next.lastRead = Math.min(lastRead || next.head, next.head);
  next.unreadCount = countUnread(next);
  next.newSeparator = next.unreadCount > 0 || (newer && next.lastRead < next.head) ? next.lastRead : null;
  return next;
}

/** @param {State} s  @param {Page} page the messages before a seq  @param {number} before  @returns {State} */
export function prependPage(s, page, before) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || s.messages[0]?.seq !== before) return s;
  const messages = [...applyRecent(s, page).messages, ...s.messages];
  const cut = !s.following && messages.length > WINDOW;
  return {
    ...s,
    messages: cut ? messages.slice(0, WINDOW) : messages,
    older: page.more,
    newer: s.newer || cut,
    root: rootOf(s, page),
    pagesLoaded: s.pagesLoaded + 1,
  };
}

/** @param {State} s  @param {Page} page the messages after a seq  @param {number} after  @returns {State} */
export function appendPage(s, page, after) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || !s.newer || (s.messages.at(-1)?.seq ?? 0) !== after) return s;
  const recent = applyRecent(s, page);
  const messages = [...s.messages, ...recent.messages, ...(page.more ? [] : recent.later)];
  return {
    ...s,
    messages: messages.slice(-WINDOW),
    older: s.older || messages.length > WINDOW,
    newer: page.more,
    root: rootOf(s, page),
    pagesLoaded: s.pagesLoaded + 1,
  };
}

/** Replaces held messages by newly read ones. @param {State} s  @param {Page} page  @returns {State} */
export function refreshMessages(s, page) {
  if (page.epoch !== s.epoch || !isUsable(s, page)) return s;
  const anew = new Map(applyRecent(s, page).messages.map((m) => [m.seq, m]));
  return {
    ...s,
    messages: s.messages.map((m) => anew.get(m.seq) ?? m),
    root: s.root && (anew.get(s.root.seq) ?? s.root),
  };
}

/** Applies the live events since a page to its messages. `later` are the messages that came after the page.
 * @param {State} s  @param {Page} page */
function applyRecent(s, page) {
  const since = page.epoch === s.epoch ? s.recent.filter((e) => e.seq > page.seq) : [];
  const messages = page.messages.map((m) => since.reduce(applyEvent, { ...m, asOf: page.seq }));
  const last = messages.at(-1)?.seq ?? 0; // the second half of a page around a message may be read a little later
  const later = since.filter((e) => belongs(s, e) && e.seq > last).map((e) => since.reduce(applyEvent, e));
  return { messages, later };
}

/** @param {State} s  @param {Page} page */
function rootOf(s, page) {
  if (!page.root) return s.root;
  return s.recent.filter((e) => e.seq > page.seq).reduce(applyEvent, { ...page.root, asOf: page.seq });
}

/** Appends a new message to the window if the window reaches to the end of the log.
 * @param {State} s  @param {RoomEvent} event  @returns {State} */
export function appendLive(s, event) {
  if (s.newer || (s.messages.at(-1)?.seq ?? 0) >= event.seq) return s; // a page has brought it already
  if (!s.following && s.messages.length >= WINDOW) return { ...s, newer: true };
  const messages = [...s.messages, event];
  const cut = s.following && messages.length > WINDOW + PAGE;
  return { ...s, messages: cut ? messages.slice(-WINDOW) : messages, older: s.older || cut };
}
