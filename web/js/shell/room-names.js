// room-names.js: makes room names that people can read and say, and nobody can guess. No DOM.

// 256 words, so that one random byte picks one: short, common, hard to mishear.
const WORDS = (
  "acorn alder almond amber anchor apple apron april arrow aspen atlas autumn bacon badger baker bamboo " +
  "banjo barley basil basin beacon beaver berry birch bishop bison blanket blossom bonfire border bottle branch " +
  "bread breeze brick bridge brook bronze bucket buffalo butter button cabin cactus camel candle canoe canyon " +
  "carbon cargo carpet carrot castle cedar cellar cello chalk cherry chestnut chimney cider cinnamon circle citrus " +
  "clay cliff cloud clover coast cobalt cocoa comet compass copper coral cotton cradle crane crater cricket " +
  "crystal cushion cypress daisy dawn desert diamond dolphin domino dragon drum dune eagle echo elder ember " +
  "emerald engine falcon feather fern ferry fiddle field finch fjord flame flint flour flute forest fossil " +
  "fountain fox galaxy garden garlic ginger glacier globe goose granite grape gravel grove guitar gull hammer " +
  "harbor harvest hazel heather helmet heron hill honey horizon hornet island ivory ivy jacket jasmine jewel " +
  "jungle juniper kettle kiwi ladder lagoon lake lantern larch lark laurel lavender leaf lemon lilac lime linen " +
  "lion lizard lobster locket lotus lunar magnet mango maple marble marsh meadow melon mint mirror mist monsoon " +
  "moss mountain muffin nectar needle nickel north nutmeg oak oasis ocean olive onyx opal orbit orchard otter " +
  "owl oyster palm panda paper parrot pasta peach pearl pebble pepper piano pigeon pine planet plum pocket " +
  "pollen pond poppy prairie prism puzzle quartz quilt rabbit radish rain raven reef ribbon river robin rocket " +
  "rose ruby saddle saffron sage sail salmon sand sapphire satin shell silver sparrow spruce squirrel star " +
  "stone summer swan teal thistle thunder tiger tulip turtle velvet violet"
).split(" ");

const WORDS_IN_A_NAME = 5;
const DIGITS = 10_000;

/** Returns a name like "otter-lilac-harbor-drum-comet-4821": five words of 8 bits and four digits of 13.3 bits,
 * 53 bits of chance. At a thousand tries a second a guess takes some 140,000 years.
 * @param {(bytes: Uint8Array<ArrayBuffer>) => Uint8Array} [random] fills bytes with random values */
export function makeRoomName(random = (bytes) => crypto.getRandomValues(bytes)) {
  const words = Array.from(random(new Uint8Array(WORDS_IN_A_NAME)), (byte) => WORDS[byte]);
  const limit = 2 ** 32 - (2 ** 32 % DIGITS); // a larger number would favour small remainders
  for (;;) {
    const number = new DataView(random(new Uint8Array(4)).buffer).getUint32(0);
    if (number < limit) return [...words, String(number % DIGITS).padStart(4, "0")].join("-");
  }
}

export { WORDS };
