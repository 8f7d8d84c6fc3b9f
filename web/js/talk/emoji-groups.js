// emoji-groups.js: the groups of the emoji picker. No DOM.
/** @import { Key } from "../lang/en.js" */

/** The groups in the order of Unicode's charts, which is that of the server's list: name, first emoji, icon as a path.
 * @type {readonly { says: Key, first: string, icon: string }[]} */
export const GROUPS = [
  {
    says: "emoji.people",
    first: "😀",
    icon: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM9 10v.01M15 10v.01M8.5 14.5c1.7 2.3 5.3 2.3 7 0",
  },
  {
    says: "emoji.nature",
    first: "🐵",
    icon: "M5 19c-1-8 4-13.5 14.5-14 .5 9-4 14-11 13M5 19c1.5-4 4-7 8-9.5",
  },
  {
    says: "emoji.food",
    first: "🍇",
    icon: "M5 9.5h11v5.5a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4ZM16 11h1.5a2.2 2.2 0 0 1 0 5H16M8.5 4v2.5M12.5 4v2.5",
  },
  {
    says: "emoji.travel",
    first: "🌍",
    icon: "M6 13.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM18 13.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM6 " +
      "17l3.5-7h5.5l3 7M9.5 10 12.5 17M7.5 10h3M15 10l-1.5-4h-2.5",
  },
  {
    says: "emoji.activities",
    first: "🎃",
    icon: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 8.5l3.5 2.5-1.3 4h-4.4l-1.3-4ZM12 8.5v-5m3.5 7.5 " +
      "4.6-1.6M14.2 15l3 3.8M9.8 15l-3 3.8M8.5 11 3.9 9.4",
  },
  {
    says: "emoji.objects",
    first: "👓",
    icon: "M9.5 17.5v-2C7.5 14.4 6 12.4 6 10a6 6 0 0 1 12 0c0 2.4-1.5 4.4-3.5 5.5v2ZM10 20.5h4",
  },
  {
    says: "emoji.symbols",
    first: "🏧",
    icon: "M12 19.5C6.5 15.5 4 12.8 4 9.5A4.3 4.3 0 0 1 12 7.2 4.3 4.3 0 0 1 20 9.5c0 3.3-2.5 6-8 10Z",
  },
  {
    says: "emoji.flags",
    first: "🏁",
    icon: "M6 20.5V4.5c4-2 7 2 12 0v9c-5 2-8-2-12 0",
  },
];

/** Splits all emoji into the groups. One whose first emoji is not there belongs to the group before it.
 * @param {readonly string[][]} all  @returns {{ says: Key, icon: string, all: string[][] }[]} */
export function grouped(all) {
  const places = GROUPS.map((g) => ({ ...g, at: all.findIndex(([emoji]) => emoji === g.first) }));
  const starts = places.filter(({ at }) => at >= 0);
  return starts.map(({ says, icon, at }, i) => ({
    says,
    icon,
    all: all.slice(i === 0 ? 0 : at, starts[i + 1]?.at ?? all.length),
  }));
}
