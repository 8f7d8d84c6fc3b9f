package durability

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/client"
	"parley/internal/torture"
)

const dataFile = "parley.db"

// Faults returns the ways in which the disk can fail under a server.
func (p *powered) Faults() []torture.SubjectFault {
	heal := func(*rand.Rand) error {
		p.disk.set(func(d *disk) { d.noWrite, d.only, d.noSync = 0, "", 0 })
		return nil
	}
	fail := func(change func(*disk)) func(*rand.Rand) error {
		return func(*rand.Rand) error {
			p.disk.set(change)
			return nil
		}
	}
	return []torture.SubjectFault{
		{Name: "nospace", Begin: fail(func(d *disk) { d.noWrite = syscall.ENOSPC }), End: heal},
		{Name: "readonly", Begin: fail(func(d *disk) { d.noWrite = syscall.EROFS }), End: heal},
		{Name: "readonlyfile", Begin: fail(func(d *disk) { d.noWrite, d.only = syscall.EROFS, dataFile }), End: heal},
		{Name: "failingsync", Begin: fail(func(d *disk) { d.noSync = syscall.EIO }), End: heal, Over: p.endSomehow},
		{Name: "lies", Begin: fail(func(d *disk) { d.lies = true }), End: fail(func(d *disk) { d.lies = false })},
		{Name: "failingsyncs", Begin: fail(func(d *disk) { d.noSync = syscall.EIO }), End: heal, Over: p.Process.Kill},
	}
}

// endSomehow asks the server to end, kills it, or cuts the power.
func (p *powered) endSomehow() error {
	ways := []func() error{p.Stop, p.Kill, p.Process.Kill}
	return ways[p.rnd.IntN(len(ways))]()
}

func TestNothingIsLostOnADiskThatFails(t *testing.T) {
	needsTorture(t)
	seed := freshSeed(t)
	for name, tt := range map[string]struct {
		program string
		faults  []string
		brief   bool // also part of the short run
	}{
		"a full disk":                   {"parley", []string{"nospace"}, false},
		"a disk that cannot be written": {"parley", []string{"readonly"}, false},
		"a file that cannot be written": {"parley-checkpointing", []string{"readonlyfile", "kill"}, false},
		"a disk that fails to sync":     {"parley-checkpointing", []string{"failingsync"}, false},
		// A killed server still finds unsynced writes; after a power cut they are lost.
		"one that has failed to":       {"parley", []string{"failingsyncs", "kill"}, true},
		"a disk that lies, with power": {"parley-checkpointing", []string{"lies", "term"}, false},
		"all of it": {
			"parley-checkpointing", []string{"nospace", "readonly", "readonlyfile", "failingsync", "kill"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			length := 20 * time.Second
			if briefly {
				if !tt.brief {
					t.Skip("make torture runs it")
				}
				t.Parallel()
				length = 8 * time.Second
			}
			p, log := onDisk(t, tt.program, seed)
			torment(t, torture.Config{For: length, Round: length, Seed: seed, Faults: tt.faults, Rate: 200, Subject: p},
				log)
		})
	}
}

// A server that finds its disk read-only says so and ends.
func TestReadOnlyDiskIsRefused(t *testing.T) {
	needsTorture(t)
	p, log := onDisk(t, "parley", 1)
	before := stored(t, p)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.disk.set(func(d *disk) { d.noWrite = syscall.EROFS })
	if url, err := p.Start(t.Context()); err == nil {
		t.Fatalf("it serves at %s", url)
	}
	if said := lastLines(log.String(), 1); !strings.Contains(said, "read-only file system") {
		t.Errorf("it says %q", said)
	}
	p.disk.set(func(d *disk) { d.noWrite = 0 })
	if after := stored(t, p); after != before+1 {
		t.Errorf("the next message is number %d, after %d", after, before)
	}
}

// A server that may only read its database serves what is in it, and refuses new messages.
func TestReadOnlyFileIsShown(t *testing.T) {
	needsTorture(t)
	p, _ := onDisk(t, "parley", 1)
	before := stored(t, p)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	p.disk.set(func(d *disk) { d.noWrite, d.only = syscall.EROFS, dataFile })
	url, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/api/rooms/lobby/messages", "", http.StatusOK},
		{"POST", "/api/rooms/lobby/messages", `{"name":"Bob","text":"hello"}`, http.StatusServiceUnavailable},
		{"GET", "/healthz", "", http.StatusServiceUnavailable},
	} {
		r, err := http.NewRequestWithContext(t.Context(), request.method, url+request.path,
			strings.NewReader(request.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != request.want {
			t.Errorf("%s %s: %s, want %d", request.method, request.path, answer.Status, request.want)
		}
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	p.disk.set(func(d *disk) { d.noWrite, d.only = 0, "" })
	if after := stored(t, p); after != before+1 {
		t.Errorf("the next message is number %d, after %d", after, before)
	}
}

// stored starts the server and returns the seq of a message that it stores.
func stored(t *testing.T, p *powered) int64 {
	t.Helper()
	url, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(t.Context(), url, client.Options{Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.Send(t.Context(), "lobby", "hello")
	if err != nil {
		t.Fatal(err)
	}
	return r.Seq
}
