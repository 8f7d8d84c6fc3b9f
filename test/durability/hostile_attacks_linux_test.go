package durability

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sync/errgroup"
)

// slowHeaders sends a request's header one byte at a time until the server closes the connection.
func slowHeaders(b *victim, n, _ int) error {
	conns, err := b.crowd(n, func(nc net.Conn) error {
		_, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		return err
	})
	if err != nil {
		return err
	}
	drip := time.NewTicker(500 * time.Millisecond)
	defer drip.Stop()
	for range 3 {
		<-drip.C
		for _, nc := range conns {
			_, _ = nc.Write([]byte("x")) // a closed connection is noticed when it is read
		}
	}
	return awaitEnds(conns)
}

// halfHandshakes sends half of a WebSocket request on every other connection, and nothing on the
// rest.
func halfHandshakes(b *victim, n, _ int) error {
	var i atomic.Int64
	conns, err := b.crowd(n, func(nc net.Conn) error {
		if i.Add(1)%2 == 0 {
			return nil
		}
		_, err := io.WriteString(nc, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n")
		return err
	})
	if err != nil {
		return err
	}
	return awaitEnds(conns)
}

// oneByteASecond sends a long WebSocket message, one byte per second.
func oneByteASecond(b *victim, n, _ int) error {
	conns, err := b.crowd(n, func(nc net.Conn) error {
		if _, _, err := (ws.Dialer{}).Upgrade(nc, &url.URL{Scheme: "ws", Host: b.address, Path: "/ws"}); err != nil {
			return err
		}
		_, err := nc.Write([]byte{0x81, 0x80 | 126, 0xea, 0x60, 1, 2, 3, 4}) // 60,000 bytes are to follow
		return err
	})
	if err != nil {
		return err
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for range 5 {
		<-second.C
		for _, nc := range conns {
			if _, err := nc.Write([]byte("x")); err != nil {
				return fmt.Errorf("a slow client was ended: %w", err)
			}
		}
	}
	for _, nc := range conns {
		nc.Close()
	}
	return nil
}

// joinsAndLeaves lets four people join and leave n rooms, one after the other.
func joinsAndLeaves(b *victim, n, round int) error {
	const people = 4
	var g errgroup.Group
	for person := range people {
		g.Go(func() error {
			return b.command(n/people*2, func(i int) string {
				op := "join"
				if i%2 == 1 {
					op = "leave"
				}
				return fmt.Sprintf(`{"op":%q,"id":%d,"room":"room-%d-%d-%d"}`, op, i, round, person, i/2)
			})
		})
	}
	return g.Wait()
}

// command sends hello and n commands on one connection, and waits until each has succeeded.
func (b *victim) command(n int, line func(i int) string) error {
	nc, br, _, err := ws.Dial(context.Background(), "ws://"+b.address+"/ws")
	if err != nil {
		return err
	}
	defer nc.Close()
	if br == nil {
		br = bufio.NewReader(nc)
	}
	var g errgroup.Group
	g.Go(func() error {
		out := bufio.NewWriter(nc)
		lines := append([]string{`{"op":"hello","name":"Hasty"}`}, make([]string, n)...)
		for i := range n {
			lines[i+1] = line(i)
		}
		for _, l := range lines {
			if err := ws.WriteFrame(out, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(l)))); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	for answers := 0; answers < n+1; {
		h, err := ws.ReadHeader(br)
		payload := make([]byte, min(h.Length, 1<<16))
		if err == nil {
			_, err = io.ReadFull(br, payload)
		}
		switch {
		case err != nil:
			return fmt.Errorf("after %d answers: %w", answers, err)
		case bytes.HasPrefix(payload, []byte(`{"op":"ok"`)):
			answers++
		case bytes.HasPrefix(payload, []byte(`{"op":"error"`)), h.OpCode == ws.OpClose:
			return fmt.Errorf("after %d answers: %s", answers, payload)
		}
	}
	return g.Wait()
}

// roomNames reads the page, the state and the history of n rooms that do not exist, and joins every
// tenth.
func roomNames(b *victim, n, round int) error {
	const people = 4
	var g errgroup.Group
	for person := range people {
		name := func(i int) string { return fmt.Sprintf("name-%d-%d-%d", round, person, i) }
		g.Go(func() error {
			return b.look(n/people, func(i int) string {
				return [...]string{
					"/r/" + name(i), "/api/rooms/" + name(i), "/api/rooms/" + name(i) + "/messages?limit=1",
				}[i%3]
			})
		})
		g.Go(func() error {
			return b.command(n/people/10*2, func(i int) string {
				op := [...]string{"join", "leave"}[i%2]
				return fmt.Sprintf(`{"op":%q,"id":%d,"room":%q}`, op, i, name(i/2*10))
			})
		})
	}
	return g.Wait()
}

// look requests n addresses on one connection, many before the first is answered.
func (b *victim) look(n int, path func(i int) string) error {
	nc, err := net.Dial("tcp", b.address)
	if err != nil {
		return err
	}
	defer nc.Close()
	in := bufio.NewReaderSize(nc, 64<<10)
	const ahead = 50
	for from := 0; from < n; from += ahead {
		var asked strings.Builder
		count := min(ahead, n-from)
		for i := range count {
			fmt.Fprintf(&asked, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path(from+i))
		}
		sent := make(chan error, 1)
		go func() { _, err := io.WriteString(nc, asked.String()); sent <- err }()
		for i := range count {
			w, err := http.ReadResponse(in, nil)
			if err == nil {
				_, err = io.Copy(io.Discard, w.Body)
			}
			if err != nil || w.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %v, status %v", path(from+i), err, w)
			}
		}
		if err := <-sent; err != nil {
			return err
		}
	}
	return nil
}
