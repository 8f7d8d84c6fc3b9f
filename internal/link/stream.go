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
// stops. It calls each function of beside on another goroutine, with a context that
// ends with the response.
func (st *Stream) Run(w http.ResponseWriter, r *http.Request, beside ...func(context.Context)) {
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
	defer st.links.addStream(st)()
	for _, f := range beside {
		st.goGuarded(func() { f(ctx) })
	}
	st.goGuarded(func() {
		response.awaitDisconnect()
		st.stop()
	})
	st.out.Flush()
	st.writer.run(response.write)
}

// Write sends p, which must not change afterwards. It waits while the client does not
// read; after patience, the response is closed with code Stalled. Only functions that
// Run calls may call Write, with the context that they got.
func (st *Stream) Write(ctx context.Context, p []byte, patience time.Duration) error {
	for {
		n, err := st.out.TryWrite(p)
		if p = p[n:]; err != nil || len(p) == 0 {
			return err
		}
		if err := st.awaitWritable(ctx, patience); err != nil {
			return err
		}
	}
}

func (st *Stream) awaitWritable(ctx context.Context, patience time.Duration) error {
	stall := time.AfterFunc(patience, func() { st.out.Close(chat.Stalled) })
	defer stall.Stop()
	writable := make(chan struct{})
	st.out.OnWritable(func() { close(writable) })
	select {
	case <-writable:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Finish sends a last frame and ends the response. The client may take lingerTime
// to read it. Only functions that Run calls may call Finish.
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
