package httpdoor

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

// PlainCSS is the style of the pages that the server renders itself. They have no
// script, and load nothing.
//
//go:embed plain_page.css
var PlainCSS string

// PlainPolicy is their Content-Security-Policy: it allows PlainCSS as an inline style,
// and nothing else.
var PlainPolicy = func() string {
	sum := sha256.Sum256([]byte(PlainCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()
