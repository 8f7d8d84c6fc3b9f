package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/internal/chat"
	"parley/internal/room"
)

// A largeList is the list of an answer that can be large, such as a page of history.
// It is the last field of its answer. Each value is encoded when it is added, so
// that the bytes are known, and written for itself.
type largeList[T any] struct{ *encodedItems }

// encodedItems are the values of a bulk, encoded, and who they are for.
type encodedItems struct {
	values [][]byte
	size   int
	unsent *pendingAnswers // nil: nobody counts them
	from   netip.Addr
}

// A listAnswer is an answer with a bulk.
type listAnswer interface {
	// split returns the answer with an empty list, and what is in the list.
	split() (rest any, list *encodedItems)
}

// add encodes one more value.
func (b *largeList[T]) add(v T) {
	if b.encodedItems == nil {
		b.encodedItems = &encodedItems{}
	}
	b.append(encoded(v))
}

// take empties the bulk and returns what was in it.
func (b *largeList[T]) take() *encodedItems {
	list := b.encodedItems
	b.encodedItems = nil
	return list
}

// append adds what is encoded already.
func (p *encodedItems) append(line []byte) {
	p.values = append(p.values, line)
	p.size += len(line)
}

// isFull reports whether an answer has enough.
func (p *encodedItems) isFull() bool { return p.size >= maxListBytes }

// maxListBytes is how many bytes a list has that is not a page of one room; one more
// value may be in it.
const maxListBytes = 256 << 10

// bulkOf returns a bulk of values, for examples.
func bulkOf[T any](values ...T) (b largeList[T]) {
	for _, v := range values {
		b.add(v)
	}
	return b
}

// encoded returns a value as JSON. There is none of our types that cannot be.
func encoded(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Errorf("encoding %T: %w", v, err))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// MarshalJSON writes the whole list.
func (b largeList[T]) MarshalJSON() ([]byte, error) {
	if b.encodedItems == nil {
		return []byte("[]"), nil
	}
	return append(append([]byte("["), bytes.Join(b.values, []byte(","))...), ']'), nil
}

// Schema describes a bulk to huma as the list that it is.
func (largeList[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[T](), true, "")}
}

// marshal writes an answer as JSON; huma calls it. A bulk is written a value at a
// time, each let go of when the client has taken it.
func marshal(w io.Writer, v any) error {
	if b, ok := v.(listAnswer); ok {
		if rest, list := b.split(); list != nil {
			list.write(w, rest)
			return nil // if the client has gone nobody is left to tell
		}
	}
	return huma.DefaultJSONFormat.Marshal(w, v)
}

func (p *encodedItems) write(w io.Writer, rest any) {
	if rw, ok := w.(http.ResponseWriter); ok && p.unsent != nil {
		rc := http.NewResponseController(rw)
		defer p.unsent.hold(p.from, p.size, func() {
			rc.SetWriteDeadline(time.Now()) // a connection without deadlines is not cut
		})()
	}
	head, ok := bytes.CutSuffix(encoded(rest), []byte("]}"))
	if !ok {
		panic(fmt.Errorf("the list of a %T is not its last field", rest))
	}
	_, err := w.Write(head)
	for i, line := range p.values {
		if i > 0 && err == nil {
			_, err = w.Write([]byte{','})
		}
		if err == nil {
			_, err = w.Write(line)
		}
		if err != nil {
			return
		}
		p.values[i] = nil
	}
	w.Write([]byte("]}\n"))
}

// buildBulk calls do, which makes the list of an answer to who, within the limits of the network. Few such calls run at a
// time.
func (s *Server) buildBulk(ctx context.Context, who chat.Who, do func(*room.Query, *encodedItems) error) error {
	from := who.Network
	reading, err := s.hub.NewQuery(who)
	if err != nil {
		return err
	}
	p := &encodedItems{unsent: &s.unsent, from: from}
	defer func() { reading.Close(p.size) }() // also what it took to find out that there is nothing
	if err := s.pageQueue.enter(ctx, from); err != nil {
		return err
	}
	defer s.pageQueue.leave(from)
	return do(reading, p)
}

// limitReads limits how often an address may ask for what costs little and is not
// made from pages.
func (s *Server) limitReads(op huma.Operation) huma.Operation {
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		reading, err := s.hub.NewQuery(s.unknownCaller(r))
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		reading.Close(0)
		next(ctx)
	})
	return op
}
