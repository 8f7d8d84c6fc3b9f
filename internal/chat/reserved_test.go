package chat

import (
	"strings"
	"testing"
)

// Invisible characters could make two names look the same, or a name look empty.
func TestInvisibleCharactersAreInNoName(t *testing.T) {
	for _, r := range []rune{
		0x0000, 0x00ad, 0x034f, 0x061c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e,
		0x202e, 0x2028, 0x2060, 0x2064, 0x2066,
		0x206a, 0x2800, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffb, 0x1bca0, 0x1d173, 0xe0001, 0xe0041,
		0xe007f, 0xe0100, 0xe01ef,
	} {
		for _, name := range []string{
			string(r), "Ada" + string(r), string(r) + "Ada", "A" + string(r) + "da",
			strings.Repeat(string(r), 3), "A " + string(r),
		} {
			if got, err := ParseName(name); CodeOf(err) != BadName {
				t.Errorf("%U: the name %q is %q, %v", r, name, got, err)
			}
			if got, err := ParseRoomName(name); err == nil && strings.ContainsFunc(string(got), isInvisible) {
				t.Errorf("%U: the room %q is %q", r, name, got)
			}
		}
		if err := CheckText(strings.Repeat(string(r), 5), 0); CodeOf(err) != BadText {
			t.Errorf("%U: a text of it alone: %v", r, err)
		}
		if err := CheckEmoji(string(r)); CodeOf(err) != BadText {
			t.Errorf("%U: as a reaction: %v", r, err)
		}
	}
}

func TestNamesOfAllScriptsRemain(t *testing.T) {
	for _, name := range []string{
		"Ada", "Zoë", "李小龙", "Ольга", "Σωκράτης", "שָׁלוֹם", "محمد", "नमस्ते", "ไทย", "한글", "👍",
		"क्\u200dष", "O’Neill", "Jean-Luc", "R2-D2",
	} {
		if got, err := ParseName(name); err != nil {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
}

func TestReservedNamesAreNobodys(t *testing.T) {
	for _, name := range []string{
		"Parley", "parley", "PARLEY", "P a r l e y", "Parley.", "[Parley]", "Ｐａｒｌｅｙ", "𝐏𝐚𝐫𝐥𝐞𝐲", "Ⓟⓐⓡⓛⓔⓨ", "Par-ley",
		"_parley_", "Рarley", "Pаrlеу", "Ραrley", "  parley  ",
		"System", "SYSTEM:", "sуstem", "syѕtеm", "Server", "here", "@here", "Everyone", "@everyone", "everybody",
		"ALL", "channel", "#room",
		"admin", "Admin", "ADMIN", "аdmin", "Admın", "ad_min", "a.d.m.i.n", "Administrator", "moderator", "operator",
		"root", "r00t", "support", "Staff ★",
	} {
		if got, err := ParseName(name); CodeOf(err) != BadName {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
	for _, name := range []string{
		"Parleyman", "Adminah", "Herera", "Rooty", "Allan", "Sys", "Stafford", "Hereward",
		"Сергей", "Α", "Systematic",
	} {
		if _, err := ParseName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTextsHoldNoZero(t *testing.T) {
	if err := CheckText("a\x00b", 0); CodeOf(err) != BadText {
		t.Errorf("a message: %v", err)
	}
	if _, err := ParseTopic("a\x00b"); CodeOf(err) != BadText {
		t.Errorf("a topic: %v", err)
	}
	if err := CheckNonce("a\x00b"); CodeOf(err) != BadNonce {
		t.Errorf("a nonce: %v", err)
	}
	for _, s := range []string{"a\xed\xa0\x80b", "\xff"} { // half a surrogate pair; not UTF-8
		_, topic := ParseTopic(s)
		_, name := ParseName(s)
		if CodeOf(CheckText(s, 0)) != BadText || CodeOf(topic) != BadText || CodeOf(name) != BadName ||
			CodeOf(CheckNonce(s)) != BadNonce || CodeOf(CheckEmoji(s)) != BadText {
			t.Errorf("%q is let through", s)
		}
	}
}
