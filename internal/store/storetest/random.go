package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"parley/internal/chat"
)

var eve = chat.Person{ID: "eve", Name: "Eve"}

// Three are the people of random drafts.
var Three = []chat.Person{Ada, Grace, eve}

// The first messages of NearLimits: early ones, then the first one that is pinned.
const (
	early       = 6
	firstPinned = early + chat.MaxEmoji + 2 + chat.MaxEdits - 2 + 1
)

// NearLimits returns drafts after which message 1 of a room can take two more emoji and two more edits, and the room
// two more pins.
func NearLimits(room chat.RoomName) (drafts []chat.Draft) {
	for i := range early {
		drafts = append(drafts, Draft(room, Three[i%3], fmt.Sprint("early ", i), fmt.Sprint("p", i)))
	}
	react := func(who chat.Person, i int) {
		d := chat.Draft{Room: room, From: who, Kind: chat.React, Target: 1, Text: fmt.Sprint("x", i)}
		drafts = append(drafts, d)
	}
	for i := range chat.MaxEmoji - 2 {
		react(Ada, i)
	}
	for i := 14; i < 18; i++ {
		react(Grace, i)
	}
	for i := range chat.MaxEdits - 2 {
		edit := chat.Draft{Room: room, From: Ada, Kind: chat.Edit, Target: 1, Text: fmt.Sprint("edit", i)}
		drafts = append(drafts, edit)
	}
	for i := range chat.MaxPins - 2 {
		drafts = append(drafts, Draft(room, eve, "pinned", ""),
			chat.Draft{Room: room, From: Ada, Kind: chat.Pin, Target: chat.Seq(firstPinned + 2*i)})
	}
	return drafts
}

// RandomDrafts returns drafts to two rooms that have had NearLimits: all of any kind, or most of them about one of the
// limits. Which one depends on round.
func RandomDrafts(random *rand.Rand, round int, heads map[chat.RoomName]chat.Seq) (drafts []chat.Draft) {
	rooms := make([]chat.RoomName, 0, len(heads))
	for room := range heads {
		rooms = append(rooms, room)
	}
	slices.Sort(rooms)
	for range 2 + random.IntN(50) {
		if d := anyDraft(random, rooms, heads); round%4 == 0 || random.IntN(4) == 0 {
			drafts = append(drafts, d)
		} else {
			drafts = append(drafts, draftAtLimit(random, round%4, rooms[0], d.Nonce))
		}
	}
	return drafts
}

// anyDraft returns a draft of any kind about an early message, or one that is about to be sent.
func anyDraft(random *rand.Rand, rooms []chat.RoomName, heads map[chat.RoomName]chat.Seq) chat.Draft {
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	room := rooms[random.IntN(3)/2]
	target := chat.Seq(1 + random.IntN(4))
	if random.IntN(2) == 0 {
		target = heads[room] + chat.Seq(random.IntN(12)) - 1
	}
	d := chat.Draft{Room: room, From: Three[random.IntN(3)], Target: target}
	if random.IntN(2) == 0 {
		d.Nonce = fmt.Sprint(one("n", "p"), random.IntN(6))
	}
	d.Text = one("plain", "@Ada hi", "@Eve and @Grace", "a@b", "other")
	d.Kind = chat.Kind(one("", "", "", "reply", "copy", "quote", "edit", "delete", "react", "react", "unreact", "pin",
		"unpin", "topic"))
	switch d.Kind {
	case "":
		d.Target = 0
	case chat.Delete, chat.Pin, chat.Unpin:
		d.Text = ""
	case chat.React, chat.Unreact:
		d.Text = fmt.Sprint("x", random.IntN(2)+17*random.IntN(2)+random.IntN(3))
	case chat.Topic:
		d.Target, d.Text = 0, one("", "ships", "tea")
	case "quote":
		d.Kind, d.Target, d.Attrs = "", 0, &chat.Attrs{ReplyTo: target, Action: random.IntN(2) == 0}
	case "copy":
		d.Kind, d.Target, d.Text = "", 0, "copy"
		d.Source, d.Attrs = chat.MessageRef{Room: room, Seq: target}, &chat.Attrs{Forward: &chat.Forward{From: Ada}}
	}
	return d
}

// draftAtLimit returns a draft that counts towards one of the limits: of emoji, pins or edits.
func draftAtLimit(random *rand.Rand, limit int, room chat.RoomName, nonce string) chat.Draft {
	d := chat.Draft{Room: room, From: Three[random.IntN(3)], Nonce: nonce, Target: 1}
	switch limit {
	case 1:
		d.Kind, d.Text = []chat.Kind{chat.React, chat.Unreact}[random.IntN(2)], fmt.Sprint("x", 14+random.IntN(8))
	case 2:
		d.Kind = []chat.Kind{chat.Pin, chat.Pin, chat.Unpin, chat.Delete}[random.IntN(4)]
		if d.Target = chat.Seq(2 + random.IntN(5)); random.IntN(3) == 0 {
			d.Target, d.From = chat.Seq(firstPinned+2*random.IntN(3)), eve
		}
	case 3:
		d.Kind, d.From, d.Text = chat.Edit, Ada, []string{"one", "two", "@Eve"}[random.IntN(3)]
	}
	return d
}

// Describe returns an answer as text, without times. The text of an answer to a retry is left out: it may differ.
func Describe(c chat.Commit) string {
	if c.Err != nil {
		return fmt.Sprintf("refused: %s %v", chat.CodeOf(c.Err), c.Err)
	}
	e := c.Event
	if c.Repeated {
		e.Text, e.Attrs = "", nil
	}
	return fmt.Sprintf("%s, repeated %t, deleted %q", describeEvent(e), c.Repeated,
		slices.Sorted(slices.Values(c.DeletedTexts)))
}

func describeEvent(e chat.Event) string {
	extra, quote, forward := chat.Attrs{}, chat.Quote{}, false
	if e.Attrs != nil {
		extra = *e.Attrs
		if extra.Quote != nil {
			quote = *extra.Quote
		}
		forward = extra.Forward != nil
		extra.Quote, extra.Forward = nil, nil
	}
	return fmt.Sprintf("%s %d %s of %d by %s %q %+v %+v forward %t", e.Room, e.Seq, e.Kind, e.Target, e.From.Name,
		e.Text, extra, quote, forward)
}
