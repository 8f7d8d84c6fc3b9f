import assert from "node:assert/strict";
import { test } from "node:test";
import { uuid7 } from "../../js/wire/uuid.js";

test("ids are UUIDs of version 7 that sort as they were made", () => {
  const ids = [
    ...Array.from({ length: 5000 }, () => uuid7(1_700_000_000_000)),
    uuid7(1_700_000_000_000 - 60_000),
    uuid7(1_700_000_100_000),
  ];
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(parseInt((ids[0] ?? "").replaceAll("-", "").slice(0, 12), 16), 1_700_000_000_000);
});
