package format

import (
	"reflect"
	"sync"

	"github.com/yuin/goldmark-emoji/definition"
)

// An EmojiName is an emoji with its name and short-codes.
type EmojiName struct {
	Emoji      string   // its characters
	Name       string   // in words, such as "grinning face"
	ShortCodes []string // without colons; HTML formatting knows each of them
}

// Emoji returns all emoji with short-codes in the order of Unicode's charts: faces first, flags
// last. The slice is made at the first call and shared, so callers must not change it.
func Emoji() []EmojiName { return emojiNames() }

// emojiNames reads the list inside the library's table by reflection. The table itself answers for
// only one short-code at a time and cannot be iterated, and a list of our own would have to be
// maintained. (Strings and numbers in private fields of another package can be read by reflection,
// but not changed.)
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
		if !ok || !known.IsUnicode() { // a picture of one company, not in Unicode
			continue
		}
		e.Emoji = string(known.Unicode)
		names = append(names, e)
	}
	return names
})
