import assert from "node:assert/strict";
import { test } from "node:test";
import { FACES, Faces, letters } from "../../js/ui/faces.js";
import { Store } from "../../js/ui/storage.js";
import { MemoryStorage } from "./fakes.js";

const someone = (/** @type {number | string} */ n, name = `Person ${n}`) => ({ id: `id-${n}`, name });
const people = (/** @type {number} */ n, from = 0) => Array.from({ length: n }, (_, i) => someone(i + from));
const fresh = () => new Faces(new Store(null));

test("up to twelve people who are present have different faces, whoever they are", () => {
  for (let from = 0; from < 2_000; from += 12) {
    const faces = fresh();
    const present = people(FACES, from);
    faces.present(present);
    const given = present.map(({ id }) => faces.of(id));
    assert.equal(new Set(given).size, FACES, `from ${from}`);
    assert.ok(given.every((face) => Number.isInteger(face) && face >= 1 && face <= FACES));
  }
});

test("of more than twelve the first keep different faces, and all have one", () => {
  const faces = fresh();
  faces.present(people(12));
  const before = people(12).map(({ id }) => faces.of(id));
  faces.present(people(40));
  assert.deepEqual(people(12).map(({ id }) => faces.of(id)), before);
  assert.ok(people(40).every(({ id }) => faces.of(id) >= 1 && faces.of(id) <= FACES));
});

test("a face stays when others come and go, and comes back with its person", () => {
  const faces = fresh();
  const [ada, grace, ...others] = people(12);
  assert.ok(ada && grace);
  faces.present([ada, grace]);
  const before = faces.of(grace.id);
  for (let n = 0; n < others.length; n++) {
    faces.present([grace, ...others.slice(0, n)]);
    assert.equal(faces.of(grace.id), before);
  }
  const adas = faces.of(ada.id);
  faces.present([ada, grace]);
  assert.deepEqual([faces.of(ada.id), faces.of(grace.id)], [adas, before]);
});

test("pages on which the same people are present agree, in whichever order they hear of them", () => {
  const [a, b] = [fresh(), fresh()];
  a.present(people(12));
  b.present(people(12).reverse());
  for (const { id } of people(12)) assert.equal(a.of(id), b.of(id));
});

test("whoever is alone has the face that depends on the id, and only changed faces are reported", () => {
  const faces = fresh();
  const [ada] = people(1);
  assert.ok(ada);
  const usual = faces.of(ada.id);
  assert.deepEqual(faces.present([ada, ada]), []);
  assert.equal(faces.of(ada.id), usual);
  const all = people(12);
  const before = all.map(({ id }) => faces.of(id));
  const changed = faces.present(all);
  const differ = all.filter(({ id }, i) => faces.of(id) !== before[i]).map((p) => p.id);
  assert.deepEqual(changed.toSorted(), differ.toSorted());
  assert.deepEqual(faces.present(all), []);
});

test("of people of one name the first that this browser saw stays the first, also after a reload", () => {
  const storage = new MemoryStorage();
  const faces = new Faces(new Store(storage));
  assert.equal(faces.number(someone("a", "Ada")), 1);
  assert.equal(faces.number(someone("b", "ａｄａ")), 2);
  assert.equal(faces.number(someone("c", "Grace")), 1);
  assert.equal(faces.number(someone("a", "Ada")), 1);
  const later = new Faces(new Store(storage));
  assert.equal(later.number(someone("b", "Ada")), 2);
  assert.equal(later.number(someone("d", "Ada")), 3);
  for (const broken of ["7", '[["ada","x"]]', '[[1,["a"]],7]', "{"]) {
    storage.setItem("parley:namesakes", broken);
    assert.equal(new Faces(new Store(storage)).number(someone("z", "Ada")), 1, broken);
  }
});

test("two letters stand for a name of any script", () => {
  for (const [name, want] of Object.entries({
    Ada: "Ad",
    "Ada Lovelace": "A\u200cL",
    grace: "Gr",
    "Jean-Luc  Picard": "J\u200cP",
    "van der Berg": "V\u200cB",
    X: "X",
    田中: "田中",
    李小龙: "李小",
    محمد: "مح",
    "محمد علي": "م\u200cع",
    ไทย: "ไท",
    นี่: "นี่",
    한글: "한글",
    नमस्ते: "नम",
    Ольга: "Ол",
    "e\u0301ric": "E\u0301r",
    ßeta: "ße",
    "R2-D2": "R\u200cD",
    "@ada": "Ad",
    "O’Neill": "ON",
    "👩‍🚀 Neo": "👩‍🚀",
    "🎉": "🎉",
    "Neo 👩‍🚀": "N",
    "🇩🇪": "🇩🇪",
    "...": ".",
    "7": "7",
  }))
    assert.equal(letters(name), want, name);
});

test("the second person of a name has the number for a letter", () => {
  assert.deepEqual([1, 2, 9, 10].map((n) => letters("Ada Lovelace", n)), ["A\u200cL", "A2", "A9", "A+"]);
  assert.equal(letters("田中", 2), "田2");
});
