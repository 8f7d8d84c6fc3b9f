package link

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// A stuckWriter is the response to a client that reads nothing.
type stuckWriter struct {
	*httptest.ResponseRecorder
	cut   chan struct{} // closed by the first deadline
	onCut func()
}

func (w *stuckWriter) Write([]byte) (int, error) {
	<-w.cut
	return 0, errors.New("cut")
}

func (w *stuckWriter) SetWriteDeadline(time.Time) error {
	w.onCut()
	return nil
}

func TestStreamWhoseClientReadsNothingIsStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed []chat.Code
		links := New(Config{Counted: func(code chat.Code) { closed = append(closed, code) }})
		cut := make(chan struct{})
		once := sync.OnceFunc(func() { close(cut) })
		w := &stuckWriter{httptest.NewRecorder(), cut, once}
		st := links.NewStream()
		begin, sent := time.Now(), 0
		st.Run(w, httptest.NewRequest(http.MethodGet, "/", nil), func(ctx context.Context) {
			for st.Write(ctx, make([]byte, 1000), time.Minute) == nil {
				sent += 1000
			}
		})
		st.Wait()
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("closed after %v", took)
		}
		if len(closed) != 1 || closed[0] != chat.Stalled {
			t.Errorf("closed with %v", closed)
		}
		if sent == 0 || sent > asyncBuffer+1000 {
			t.Errorf("%d bytes were taken", sent)
		}
	})
}
