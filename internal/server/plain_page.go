package server

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

//go:embed plain_page.css
var docsCSS string

// docsPolicy allows the inline style of plain_page.css and nothing else.
var docsPolicy = func() string {
	sum := sha256.Sum256([]byte(docsCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()
