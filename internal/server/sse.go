package server

import (
	"context"
	"net/http"
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
	from, err := resumeFrom(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	address := s.address(r)
	if err := s.admit(address); err != nil {
		s.refuse(w, r, err)
		return
	}
	defer s.release(address)
	live := listening{over: make(chan struct{})}
	if session, ok := s.brings(w, r); !ok {
		return
	} else if session != "" {
		live.owner = &live
		if _, err := s.enter(r.Context(), &live.registration, session); err != nil {
			s.refuse(w, r, err)
			return
		}
		defer s.live.remove(&live.registration)
	}
	if err := s.stream(w, r, name, from, live.over); err != nil {
		s.refuse(w, r, err)
	}
}

// A listening is what an event stream has of the session that it brought.
type listening struct {
	registration
	over chan struct{} // closed when the session has been ended
}

func (l *listening) sessionEnded() { close(l.over) }

// resumeFrom reads where a stream shall begin: after the Last-Event-ID that a
// browser sends by itself, else after what the parameters of the first request say.
func resumeFrom(r *http.Request) (j room.Joining, err error) {
	id := r.Header.Get("Last-Event-ID")
	said := id == ""
	if said {
		id = r.FormValue("after")
	}
	if id == "" {
		return j, nil
	}
	var after chat.Seq
	if j.Epoch, after, j.At, err = wire.ParseStreamID(id); err != nil {
		return j, err
	}
	j.After = &after
	if epoch := r.FormValue("epoch"); said && epoch != "" {
		j.Epoch = epoch
	}
	if at := r.FormValue("at"); said && at != "" {
		j.At, err = wire.ParseTime(at)
	}
	return j, err
}

// stream writes a room's events until the client goes, the room gives it up, its
// session is over or the server goes down. An error means that nothing has been
// written.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, name chat.RoomName, j room.Joining, over <-chan struct{}) error {
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
				return wire.AppendBehind(dst, name, s.hub.Epoch(), found.Head, found.At, found.Reset)
			}
			// A stream that is cut before its first event resumes here, and not with what comes later.
			return append(wire.AppendStreamID(dst, s.hub.Epoch(), found.From, found.FromAt), '\n')
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
	aside(func() {
		if comment(ctx, out, over) {
			s.counted(chat.SessionEnded)
			out.seal(func(dst []byte) []byte { return wire.AppendEnded(dst, errSessionEnded) })
			defer time.AfterFunc(lingerTime, stop).Stop()
			out.awaitEmpty()
			p.awaitIdle()
			p.end()
		}
	})

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

// comment gives a stream something to write now and then, until ctx ends or, and
// then it returns true, its session does.
func comment(ctx context.Context, out *outlet, over <-chan struct{}) (ended bool) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-tick.C:
			out.answer(func(dst []byte) []byte { return append(dst, ":\n\n"...) })
			out.flush()
		}
	}
}
