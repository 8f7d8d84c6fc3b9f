package server

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/chat"
	"parley/internal/room"
)

// line returns the next line of a text stream that is not empty; "" at its end.
func (l *listener) line() string {
	for l.in.Scan() {
		if l.in.Text() != "" {
			return l.in.Text()
		}
	}
	return ""
}

// timeless returns the next line without its time.
func (l *listener) timeless() string {
	l.t.Helper()
	line := l.line()
	if !textTime.MatchString(line) {
		l.t.Fatalf("line %q", line)
	}
	return textTime.ReplaceAllString(line, "$1 ")
}

var textTime = regexp.MustCompile(`^(\d+) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d `)

func TestTextOfARoomResumesAndGoesOn(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, "Ada")
	for i := range 5 {
		c.ask(`"op":"send","room":"r","text":"message %d"`, i+1)
	}
	c.ask(`"op":"react","room":"r","seq":2,"emoji":"👍"`)
	c.ask(`"op":"delete","room":"r","seq":4`)
	all := []string{
		"1 Ada: message 1", "2 Ada: message 2", "3 Ada: message 3", "5 Ada: message 5",
		"6 * Ada reacted to 2 with 👍", "7 * Ada deleted 4",
	}
	live := ts.listen(t, "/api/rooms/R/text")
	if got := live.body.Header.Get("Content-Type"); got != textType {
		t.Errorf("content type %q", got)
	}
	for path, want := range map[string][]string{
		"?after=0":                         all,
		"?after=2":                         all[2:],
		"?after=6&epoch=" + ts.hub.Epoch(): all[5:],
	} {
		l := ts.listen(t, "/api/rooms/r/text"+path)
		for _, line := range want {
			if got := l.timeless(); got != line {
				t.Fatalf("%s: %q, want %q", path, got, line)
			}
		}
	}
	c.ask(`"op":"send","room":"r","text":"now"`)
	if got := live.timeless(); got != "8 Ada: now" {
		t.Errorf("live: %q", got)
	}
}

func TestTextHasTheTimesOfItsReader(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	stored := ts.hello(t, "Ada").ask(`"op":"send","room":"r","text":"hi"`)
	at, err := time.Parse(time.RFC3339, stored.At)
	if err != nil {
		t.Fatal(err)
	}
	for zone, offset := range map[string]int{"": 0, "Asia/Kolkata": 330, "Etc/GMT+11": -11 * 60} {
		want := "1 " + at.Add(time.Duration(offset)*time.Minute).Format(time.DateTime) + " Ada: hi"
		l := ts.listen(t, "/api/rooms/r/text?after=0&zone="+url.QueryEscape(zone))
		if got := l.line(); got != want {
			t.Errorf("%s: %q, want %q", zone, got, want)
		}
	}
}

func TestTextEndsWithTheServer(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	l := ts.listen(t, "/api/rooms/r/text")
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	if line := l.line(); line != "" {
		t.Errorf("a line as the server goes: %q", line)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A client that does not read gets each line once it reads again: it waits in the store.
func TestTextWaitsForASlowReader(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{MessageRate: 1e6, MessageBurst: 1e6})
	ts.narrow.Store(true)
	l := ts.listen(t, "/api/rooms/r/text?after=0")
	ts.narrow.Store(false)
	c := ts.hello(t, "Ada")
	long := strings.Repeat("x", 3900)
	const n = 2000 // more than sockets hold
	for i := range n {
		c.send(`{"op":"send","id":%d,"room":"r","text":"%d %s"}`, i+2, i+1, long)
	}
	l.in.Buffer(nil, 1<<20)
	for seq := 1; seq <= n; seq++ {
		if got := l.timeless(); !strings.HasPrefix(got, fmt.Sprint(seq, " Ada: ", seq, " xxx")) {
			t.Fatalf("line %d: %.40q", seq, got)
		}
	}
	if got := testutil.ToFloat64(ts.metrics.errors.WithLabelValues(string(chat.Stalled))); got != 0 {
		t.Errorf("%v stalled", got)
	}
}
