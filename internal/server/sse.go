package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// keepAlive is how often a stream is given a comment, so that proxies, and we,
// learn whether it still stands.
const keepAlive = 25 * time.Second

// events answers GET /api/rooms/{room}/events: a room as server-sent events.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	name, err := chat.ParseRoomName(r.PathValue("room"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	after, epoch, err := resumeFrom(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	from := s.address(r)
	if err := s.admit(from); err != nil {
		s.refuse(w, r, err)
		return
	}
	defer s.release(from)
	if err := s.stream(w, r, name, room.Joining{After: after, Epoch: epoch}); err != nil {
		s.refuse(w, r, err)
	}
}

// resumeFrom reads where a stream shall begin: after the Last-Event-ID that a
// browser sends by itself, "EPOCH:SEQ" or a plain SEQ, else after the
// parameters of the first request.
func resumeFrom(r *http.Request) (after *chat.Seq, epoch string, err error) {
	seq, epoch := r.FormValue("after"), r.FormValue("epoch")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		seq, epoch = id, ""
		if e, n, ok := strings.Cut(id, ":"); ok {
			epoch, seq = e, n
		}
	}
	if seq == "" {
		return nil, "", nil
	}
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil || n < 0 {
		return nil, "", &chat.Error{Code: chat.BadRequest, Message: "“after” is the number of an event."}
	}
	last := chat.Seq(n)
	return &last, epoch, nil
}

// stream writes a room's events until the client goes, the room gives it up or
// the server goes down. An error means that nothing has been written.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, name chat.RoomName, j room.Joining) error {
	var helpers sync.WaitGroup
	defer helpers.Wait()
	rc := http.NewResponseController(w)
	var stop func()
	aside := func(f func()) {
		helpers.Go(func() {
			defer s.contain(stop)
			f()
		})
	}
	p := newPipe(aside)
	var end sync.Mutex
	returned := false // then w must not be touched: over HTTP/2 that panics
	stop = func() {
		end.Lock()
		defer end.Unlock()
		p.end()
		if !returned {
			rc.SetWriteDeadline(time.Now()) // ends a write that waits; there may be none
		}
	}
	defer func() {
		end.Lock()
		defer end.Unlock()
		returned = true
	}()
	out := new(outlet)
	out.init(p, func(code chat.Code) {
		s.counted(code)
		stop()
	})
	j.Sink, j.Encoder = out, wire.Stream{Epoch: s.hub.Epoch()}
	reader, err := s.hub.Join(r.Context(), name, j, func(found room.Joined) {
		out.answer(func(dst []byte) []byte {
			if found.Behind {
				return wire.AppendBehind(dst, name, s.hub.Epoch(), found.Head)
			}
			return append(dst, ":\n\n"...) // something to begin with
		})
	})
	if err != nil {
		return err
	}
	defer reader.Leave()
	defer out.kill()

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(ctx, stop)()
	defer context.AfterFunc(s.away, stop)()
	aside(func() { comment(ctx, out) })

	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // has nginx pass each event on at once
	out.flush()
	p.run(func(b []byte) error {
		if _, err := w.Write(b); err != nil {
			return err
		}
		return rc.Flush()
	})
	return nil
}

// comment gives a stream something to write now and then.
func comment(ctx context.Context, out *outlet) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			out.answer(func(dst []byte) []byte { return append(dst, ":\n\n"...) })
			out.flush()
		}
	}
}
