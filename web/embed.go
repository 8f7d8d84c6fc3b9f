// Package web holds the page: HTML, CSS and JavaScript as they are served, with
// no build step. It knows nothing of the server that serves it.
package web

import "embed"

//go:embed all:static
var files embed.FS
