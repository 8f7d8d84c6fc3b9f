package search

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"parley/internal/format"
)

// A Fact is a property of a message that has: asks for.
type Fact string

// The facts.
const (
	Link  Fact = "link"  // a web address
	Image Fact = "image" // a web address whose path has the extension of a picture
	File  Fact = "file"  // a web address whose path has the extension of a picture, a document or an archive
)

// marker begins each token that is not a word. No unit contains it, so no text can be mistaken for a fact.
const marker = ":"

// factTokens are short, because each is stored once for each message.
var factTokens = map[Fact]string{Link: marker + "l", Image: marker + "i", File: marker + "f"}

func roomToken(id int64) string   { return marker + "r" + strconv.FormatInt(id, 36) }
func authorToken(id int64) string { return marker + "a" + strconv.FormatInt(id, 36) }

// appendTokens appends the tokens of a message to dst, each followed by a space: its room, author and facts, its words
// and symbols and, of scripts without spaces, each pair of neighbours and each last character.
//
// So a run of such characters is found by its pairs, and a single character as the beginning of a token.
func appendTokens(dst []byte, d *document) []byte {
	dst = append(append(dst, roomToken(d.room)...), ' ')
	dst = append(append(dst, authorToken(d.author)...), ' ')
	for _, f := range factsOf(d.text) {
		dst = append(append(dst, factTokens[f]...), ' ')
	}
	units := appendUnits(nil, d.text)
	for i, u := range units {
		dst = append(dst, u.text...)
		if i+1 < len(units) && units[i+1].joined {
			dst = append(dst, units[i+1].text...)
		}
		dst = append(dst, ' ')
	}
	return dst
}

var (
	imageEnds = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".bmp", ".heic", ".tif", ".tiff"}
	fileEnds  = []string{
		".pdf", ".zip", ".gz", ".tgz", ".xz", ".bz2", ".zst", ".7z", ".rar", ".tar",
		".txt", ".md", ".csv", ".json", ".xml", ".log",
		".doc", ".docx", ".odt", ".rtf", ".xls", ".xlsx", ".ods", ".ppt", ".pptx", ".odp", ".epub",
		".mp3", ".ogg", ".wav", ".flac", ".mp4", ".webm", ".mov",
		".apk", ".deb", ".rpm", ".dmg", ".exe", ".iso", ".patch", ".diff",
	}
)

// factsOf returns the facts of a text, each once, in a fixed order. What is a link here is one in the message as well.
func factsOf(text string) []Fact {
	var link, image, file bool
	for _, address := range format.WebLinks(text) {
		link = true
		end := endOf(address)
		image = image || slices.Contains(imageEnds, end)
		file = file || slices.Contains(fileEnds, end)
	}
	var facts []Fact
	if link {
		facts = append(facts, Link)
	}
	if image {
		facts = append(facts, Image)
	}
	if image || file {
		facts = append(facts, File)
	}
	return facts
}

// endOf returns the extension of an address's path, with its dot.
func endOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(path.Ext(u.Path))
}
