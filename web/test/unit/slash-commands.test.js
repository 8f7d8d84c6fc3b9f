import assert from "node:assert/strict";
import { test } from "node:test";
import { asText, clientCommand, editedText, previewText } from "../../js/room/slash-commands.js";
import { unknownCommand, written } from "../../js/room/slash-commands.js";
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

test("a word that is no command is found, as the server splits texts", () => {
  for (const [text, word] of [
    ["/s", "s"],
    ["/usr/bin is full", "usr/bin"],
    ["/ME waves", "ME"],
    ["/топик x", "топик"],
    ["/me\u00a0waves", "me\u00a0waves"], // which no server would take for /me
    ["/me, I say", "me,"],
    ["/…", "…"],
    ["/code\nx", ""],
    ["/me\twaves", ""],
    ["/topic", ""],
    ["//s", ""],
    ["/", ""],
    ["/ s", ""],
    ["a /s", ""],
    [" /s", ""],
  ])
    assert.equal(unknownCommand(text ?? ""), word, text);
});

test("what its author would write of a message becomes the same message again by an edit", () => {
  for (const message of [
    { text: "waves", action: true },
    { text: "/topic x", action: true },
    { text: "over\nlines", action: true },
    { text: "plain" },
    { text: "/me is a command" },
    { text: "//" },
  ]) {
    const source = written(message);
    assert.equal(editedText(source, message.action === true), message.text, source);
    assert.equal(unknownCommand(source), "", `${source} can be said again`);
  }
  assert.equal(written({ text: "waves", action: true }), "/me waves");
});

test("an edit makes no command, and no other kind, of a message", () => {
  for (const text of ["/me waves", "/topic x", "/s", "/usr/bin"]) assert.equal(editedText(text, false), null, text);
  for (const text of ["waves", "//me waves", "/me", "/topic x"]) assert.equal(editedText(text, true), null, text);
  assert.equal(editedText(asText("/usr/bin"), false), "/usr/bin");
  assert.equal(editedText("/me  sings ", true), "sings");
});
