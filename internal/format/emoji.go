package format

import (
	"reflect"
	"sync"

	"github.com/yuin/goldmark-emoji/definition"
)

// An EmojiName is an emoji with what it is called.
type EmojiName struct {
	Emoji      string   // its characters
	Name       string   // in words, such as "grinning face"
	ShortCodes []string // without colons; HTML knows each of them
}

// Emoji returns all emoji that have short-codes, in the order of Unicode's own
// charts: faces first, flags last. It is made at the first call and shared: it
// must not be changed.
func Emoji() []EmojiName { return emojiNames() }

// emojiNames reads the list that is inside of the library's table. The table
// itself answers for one short-code at a time and cannot be walked, and a list of
// our own would be a second one to keep. (Strings and numbers of another
// package's private fields may be read by reflection, not changed.)
var emojiNames = sync.OnceValue(func() []EmojiName {
	table := definition.Github()
	list := reflect.ValueOf(table).Elem().FieldByName("list")
	names := make([]EmojiName, 0, list.Len())
	for i := range list.Len() {
		codes := list.Index(i).FieldByName("ShortNames")
		e := EmojiName{Name: list.Index(i).FieldByName("Name").String()}
		for j := range codes.Len() {
			e.ShortCodes = append(e.ShortCodes, codes.Index(j).String())
		}
		known, ok := table.Get(e.ShortCodes[0])
		if !ok || !known.IsUnicode() { // a picture of one company alone
			continue
		}
		e.Emoji = string(known.Unicode)
		names = append(names, e)
	}
	return names
})
