package bench

import (
	"context"
	"io"
	"net/http"
	"regexp"
)

// pageFile finds the files that a page loads.
var pageFile = regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)

// visitPage loads the page of a server that was just started, and its files, as its first visitor does: Parley builds
// and compresses them then, or half a second after its start, and that must not count as part of a measurement. Other
// servers have no such page, so whatever they answer is right.
func (s *testbed) visitPage(ctx context.Context, address string) {
	base := s.cfg.tlsFiles.scheme("http") + "://" + address
	page := s.fetch(ctx, base+"/", "identity")
	s.fetch(ctx, base+"/", "br")
	for _, file := range pageFile.FindAllSubmatch(page, -1) {
		s.fetch(ctx, base+string(file[1]), "br")
	}
}

// fetch returns what a URL answers in a content coding, or nil if it does not answer.
func (s *testbed) fetch(ctx context.Context, url, coding string) []byte {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil
	}
	r.Header.Set("Accept-Encoding", coding)
	answer, err := s.cfg.tlsFiles.client().Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return body
}
