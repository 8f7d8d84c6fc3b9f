import assert from "node:assert/strict";
import { test } from "node:test";
import { clientCommand, previewText } from "../../js/room/slash-commands.js";
import { suggestCommands } from "../../js/talk/completion.js";

test("commands are suggested with their arguments, and the page's own commands are recognised", () => {
  const commands = [
    { name: "me", args: "what", help: "do", by: "server" },
    { name: "nick", args: "name", help: "be", by: "client" },
  ];
  assert.deepEqual(suggestCommands("m", commands), [{ text: "/me", label: "/me what", note: "do" }]);
  assert.deepEqual(clientCommand("/nick  Grace Hopper "), { name: "nick", args: "Grace Hopper" });
  for (const text of ["/me waves", "/nickname", "//nick x", " /nick x", "/NICK x"])
    assert.equal(clientCommand(text), null, text);
  assert.deepEqual(
    ["/me waves", "//me", "/me", "/mean"].map((s) => previewText(s)),
    [{ text: "waves", action: true }, { text: "/me" }, { text: "/me" }, { text: "/mean" }],
  );
});
