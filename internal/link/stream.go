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
	response openResponse // nil before it begins, and once its handler must not use it any more
}

// newStream returns a Stream that writes nothing until run.
func (l *Links) NewStream() *Stream {
	st := &Stream{links: l}
	st.writer = newAsyncWriter(st.goGuarded)
	st.out.init(st.writer, func(code chat.Code) {
		l.cfg.Counted(code)
		st.stop()
	})
	return st
}

// Out returns what goes out on the stream.
func (st *Stream) Out() *Outbound { return &st.out }

// run begins the response with the header of w. It writes until the client
// disconnects, a room closes the outbound buffer, finish has been called or the
// server stops. Meanwhile beside runs on a goroutine of its own; its context
// ends with the response.
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

// finish ends the response behind last, a final frame, which the client may take
// lingerTime to read.
func (st *Stream) Finish(last func(dst []byte) []byte) {
	st.out.appendClose(last)
	defer time.AfterFunc(lingerTime, st.stop).Stop()
	st.out.awaitEmpty()
	st.writer.awaitIdle()
	st.writer.end()
}

// wait waits for the goroutines of the stream, after run has returned and no
// room writes to it any more.
func (st *Stream) Wait() { st.helpers.Wait() }

// stop ends the response and does not wait for that.
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

// goGuarded calls f on a goroutine that wait waits for. A panic there ends the
// stream.
func (st *Stream) goGuarded(f func()) {
	st.helpers.Go(func() {
		defer st.links.recoverConn(st.stop)
		f()
	})
}
