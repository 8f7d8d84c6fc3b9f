package link

import (
	"context"
	"net/http"
	"sync"
	"time"

	"parley/internal/chat"
)

// A Stream is an HTTP response without an end, such as server-sent events. Its
// outbound buffer is a room.Sink.
type Stream struct {
	out     Outbound
	links   *Links
	writer  *asyncWriter
	helpers sync.WaitGroup

	mu       sync.Mutex
	response openResponse // nil before it begins and after it has ended
}

// NewStream returns a Stream that writes nothing until Run.
func (l *Links) NewStream() *Stream {
	st := &Stream{links: l}
	st.writer = newAsyncWriter(st.goGuarded)
	st.out.init(st.writer, func(code chat.Code) {
		l.cfg.Counted(code)
		st.stop()
	})
	return st
}

// Out returns the response's outbound buffer.
func (st *Stream) Out() *Outbound { return &st.out }

// Run begins the response with the header of w. It writes until the client
// disconnects, a room closes the outbound buffer, Finish is called or the server
// stops. It calls beside on another goroutine, with a context that ends with the
// response.
func (st *Stream) Run(w http.ResponseWriter, r *http.Request, beside func(context.Context)) {
	defer st.out.fail()
	response, err := beginResponse(w, r, st.links.cfg.IdleTimeout)
	if err != nil { // the client has disconnected
		st.stop()
		return
	}
	st.use(response)
	defer response.close()
	defer st.use(nil)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(ctx, st.stop)()
	defer context.AfterFunc(st.links.draining, st.stop)()
	st.goGuarded(func() { beside(ctx) })
	st.goGuarded(func() {
		response.awaitDisconnect()
		st.stop()
	})
	st.out.Flush()
	st.writer.run(response.write)
}

// Finish sends a last frame and ends the response. The client may take lingerTime
// to read it. Only the function that Run calls may call Finish.
func (st *Stream) Finish(last func(dst []byte) []byte) {
	st.out.appendClose(last)
	defer time.AfterFunc(lingerTime, st.stop).Stop()
	st.out.awaitEmpty()
	st.writer.awaitIdle()
	st.writer.end()
}

// Wait waits for the goroutines of the stream, after Run has returned and no
// room writes to it any more.
func (st *Stream) Wait() { st.helpers.Wait() }

// stop ends the response without waiting for its end.
func (st *Stream) stop() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.writer.end()
	if st.response != nil {
		st.response.interrupt()
	}
}

func (st *Stream) use(response openResponse) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.response = response
}

// goGuarded calls f on a goroutine for which Wait waits. A panic there ends the
// stream.
func (st *Stream) goGuarded(f func()) {
	st.helpers.Go(func() {
		defer st.links.recoverConn(st.stop)
		f()
	})
}
