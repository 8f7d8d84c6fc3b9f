package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sync/errgroup"

	"parley/internal/room"
)

// A stress is a server with many clients that behave badly at the same time. The
// number of messages is known from the beginning, so no client waits for a clock.
type stress struct {
	*testServer
	talkers, each int            // people who send, and messages of each
	joined        sync.WaitGroup // clients that will stall
	talked        chan struct{}  // closed when all messages are sent
	http          *http.Client
}

func (s *stress) total() int64 { return int64(s.talkers * s.each) }

// A tail follows a room.
type tail interface {
	next() (seq int64, err error)
	// quit ends it in one of several ways, or returns a tail that follows again.
	quit(how int, last *int64) (tail, error)
}

func TestNothingIsLostOrLeftBehindUnderStress(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	tests := map[string]struct {
		tls                                bool
		talkers, followers, stalling, over int // over: followers by server-sent events
	}{
		"plain sockets":            {talkers: 20, followers: 140, stalling: 40},
		"TLS":                      {tls: true, talkers: 8, followers: 12, stalling: 4},
		"streams":                  {talkers: 8, over: 20},
		"streams by HTTP/2 on TLS": {tls: true, talkers: 8, over: 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStress(t, tt.tls)
			s.talkers, s.each = tt.talkers, 200/tt.talkers
			before := s.goroutines(t)
			var talking, all errgroup.Group
			s.joined.Add(tt.stalling)
			s.narrow.Store(!tt.tls) // so that the server soon notices clients that stall
			for range tt.stalling {
				all.Go(s.stall)
			}
			s.joined.Wait()
			s.narrow.Store(false)
			for i := range s.talkers {
				talking.Go(func() error { return s.talk(fmt.Sprint("Talker ", i)) })
			}
			for i := range tt.followers {
				all.Go(func() error { return s.follow(rand.New(rand.NewPCG(1, uint64(i))), s.join) })
			}
			for i := range tt.over {
				all.Go(func() error { return s.follow(rand.New(rand.NewPCG(2, uint64(i))), s.listen) })
			}
			if err := talking.Wait(); err != nil {
				t.Error(err)
			}
			if tt.stalling > 0 && !tt.tls && s.hub.Stats().NotLive == 0 {
				t.Error("nobody lags")
			}
			close(s.talked)
			if err := all.Wait(); err != nil {
				t.Error(err)
			}
			s.wantNothingLeft(t, before)
		})
	}
}

func newStress(t *testing.T, overTLS bool) *stress {
	cfg := Config{FrameSize: 64 << 10, IdleTimeout: time.Minute}
	if overTLS {
		dir := t.TempDir()
		cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		writeCertificate(t, cfg.TLSCert, cfg.TLSKey, 1)
	}
	s := &stress{testServer: startServer(t, cfg, room.Config{}), talked: make(chan struct{})}
	if overTLS {
		s.url = "https" + strings.TrimPrefix(s.url, "http")
	}
	s.http = &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: overTLS},
	}
	return s
}

// goroutines returns the number of goroutines once the server has started all of
// its own: when the number has not changed for a while.
func (s *stress) goroutines(t *testing.T) int {
	t.Helper()
	if err := s.store.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	n, same := runtime.NumGoroutine(), 0
	for same < 20 {
		<-again.C
		same++
		if now := runtime.NumGoroutine(); now != n {
			n, same = now, 0
		}
	}
	return n
}

// wantNothingLeft waits until the server is as it was before the first client.
func (s *stress) wantNothingLeft(t *testing.T, goroutines int) {
	t.Helper()
	late, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		s.http.CloseIdleConnections() // one that becomes idle later is closed next time
		got, running := s.hub.Stats(), runtime.NumGoroutine()
		if got.Rooms+got.Readers+got.Members+got.NotLive+got.Bytes+s.addresses.count() == 0 && s.links.Len() == 0 &&
			running <= goroutines {
			return
		}
		select {
		case <-again.C:
		case <-late.Done():
			stacks := make([]byte, 64<<10)
			t.Fatalf("left behind: %+v, %d connections, %d goroutines where there were %d\n%s",
				got, s.addresses.count(), running, goroutines, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// talk sends all messages of one person, each after the answer to the one before.
func (s *stress) talk(name string) error {
	c, err := s.enter(name)
	if err != nil {
		return err
	}
	defer c.nc.Close()
	if _, err := c.ask(`"op":"join","room":"r"`); err != nil {
		return err
	}
	for i := range s.each {
		text := fmt.Sprint(name, " says ", i, strings.Repeat(".", 1000))
		c.mine = text
		if r, err := c.ask(`"op":"send","room":"r","text":%q`, text); err != nil || r.Op != "ok" {
			return fmt.Errorf("%s: sending: %+v, %w", name, r, err)
		}
		c.mine = ""
	}
	return nil
}

// follow reads the room to its end, with many interruptions.
func (s *stress) follow(random *rand.Rand, open func(after int64) (tail, error)) error {
	var last int64
	var t tail
	for last < s.total() {
		var err error
		if t == nil {
			if t, err = open(last); err != nil {
				return fmt.Errorf("coming after %d: %w", last, err)
			}
		}
		until := min(last+int64(random.IntN(150)), s.total())
		for last < until {
			seq, err := t.next()
			if err != nil || seq != last+1 {
				return fmt.Errorf("event %d came after %d, %w", seq, last, err)
			}
			last = seq
		}
		if t, err = t.quit(random.IntN(5), &last); err != nil {
			return err
		}
	}
	if t != nil {
		_, err := t.quit(0, &last)
		return err
	}
	return nil
}

// stall reads nothing while others send, and then everything.
func (s *stress) stall() error {
	t, err := s.join(0)
	s.joined.Done()
	if err != nil {
		return err
	}
	<-s.talked
	for last := int64(0); last < s.total(); last++ {
		if seq, err := t.next(); err != nil || seq != last+1 {
			return fmt.Errorf("event %d came after %d to one that stalled, %w", seq, last, err)
		}
	}
	_, err = t.quit(1, new(int64))
	return err
}

// A wsTail is a connection to /ws.
type wsTail struct {
	nc     net.Conn
	in     *bufio.Reader
	id     int64
	mine   string // text of the message that is not answered yet
	events []reply
}

// enter dials and says hello.
func (s *stress) enter(name string) (*wsTail, error) {
	d := ws.Dialer{Timeout: patience, TLSConfig: &tls.Config{InsecureSkipVerify: true}}
	nc, in, _, err := d.Dial(context.Background(), "ws"+strings.TrimPrefix(s.url, "http")+"/ws")
	if err != nil {
		return nil, err
	}
	if in == nil {
		in = bufio.NewReader(nc)
	}
	nc.SetDeadline(time.Now().Add(time.Minute))
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetReadBuffer(64 << 10)
	}
	c := &wsTail{nc: nc, in: in}
	_, err = c.ask(`"op":"hello","name":%q`, name)
	return c, err
}

// join follows the room as a member.
func (s *stress) join(after int64) (tail, error) {
	c, err := s.enter("Follower")
	if err != nil {
		return nil, err
	}
	return c, c.rejoin(after)
}

func (c *wsTail) rejoin(after int64) error {
	r, err := c.ask(`"op":"join","room":"r","after":%d`, after)
	if err == nil && (r.Op != "ok" || len(c.events) > 0) {
		err = fmt.Errorf("joining: %+v, with %d events before it", r, len(c.events))
	}
	return err
}

// ask sends a command and returns its answer; events before it are kept.
func (c *wsTail) ask(format string, args ...any) (reply, error) {
	c.id++
	if err := c.put(fmt.Appendf(nil, `{"id":%d,%s}`, c.id, fmt.Sprintf(format, args...))); err != nil {
		return reply{}, err
	}
	for {
		r, err := c.hear()
		if err != nil || r.ID == c.id {
			return r, err
		}
		if c.mine != "" && r.Text == c.mine {
			return r, errors.New("an event came before its answer")
		}
		if c.mine == "" && r.Op == "event" {
			c.events = append(c.events, r)
		}
	}
}

func (c *wsTail) put(text []byte) error {
	return ws.WriteFrame(c.nc, ws.MaskFrame(ws.NewTextFrame(text)))
}

// hear returns the next frame of the server. Of an event it decodes only the seq,
// as there are many.
func (c *wsTail) hear() (r reply, err error) {
	f, err := readFrame(c.in)
	if seq, ok := bytes.CutPrefix(f.Payload, []byte(`{"op":"event","room":"r","seq":`)); ok && c.mine == "" {
		seq, _, _ = bytes.Cut(seq, []byte(","))
		r.Op = "event"
		r.Seq, err = strconv.ParseInt(string(seq), 10, 64)
		return r, err
	}
	if err == nil && f.Header.OpCode == ws.OpText {
		err = json.Unmarshal(f.Payload, &r)
	}
	return r, err
}

func (c *wsTail) next() (int64, error) {
	if len(c.events) > 0 {
		seq := c.events[0].Seq
		c.events = c.events[1:]
		return seq, nil
	}
	for {
		if r, err := c.hear(); err != nil || r.Op == "event" {
			return r.Seq, err
		}
	}
}

func (c *wsTail) quit(how int, last *int64) (tail, error) {
	switch how {
	case 0: // with a close frame; its answer finds a closed socket
		ws.WriteFrame(c.nc, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, ""))))
	case 1: // in the middle of a frame
		c.nc.Write([]byte{0x81, 0xfe, 0x10})
	case 2: // in the middle of a message, with a reset
		c.nc.Write([]byte{0x01, 0x83, 0, 0, 0, 0, 'a', 'b', 'c'})
		if tcp, ok := c.nc.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
	case 3: // without a close frame
	default:
		if _, err := c.ask(`"op":"leave","room":"r"`); err != nil {
			return nil, err
		}
		for ; len(c.events) > 0; c.events = c.events[1:] {
			if *last++; c.events[0].Seq != *last {
				return nil, fmt.Errorf("event %d came where %d was due, before leaving", c.events[0].Seq, *last)
			}
		}
		return c, c.rejoin(*last)
	}
	return nil, c.nc.Close()
}

// A sseTail is a stream of server-sent events.
type sseTail struct {
	body   io.Closer
	in     *bufio.Scanner
	cancel context.CancelFunc
}

// listen follows the room by an event stream.
func (s *stress) listen(after int64) (tail, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprint(s.url, "/api/rooms/r/events?after=", after),
		nil)
	if err != nil {
		cancel()
		return nil, err
	}
	w, err := s.http.Do(r)
	if err != nil {
		cancel()
		return nil, err
	}
	return &sseTail{w.Body, bufio.NewScanner(w.Body), cancel}, nil
}

func (l *sseTail) next() (int64, error) {
	var seq int64
	for l.in.Scan() {
		id, ok := strings.CutPrefix(l.in.Text(), "id: ")
		switch {
		case ok:
			number := strings.Split(id, ":")[1]
			var err error
			if seq, err = strconv.ParseInt(number, 10, 64); err != nil {
				return 0, err
			}
		case seq > 0 && strings.HasPrefix(l.in.Text(), "data: "):
			return seq, nil
		case l.in.Text() == "": // an id without an event says where the stream begins
			seq = 0
		}
	}
	return 0, errors.Join(l.in.Err(), io.ErrUnexpectedEOF)
}

func (l *sseTail) quit(int, *int64) (tail, error) {
	l.cancel()
	l.body.Close()
	return nil, nil
}
