package rest

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
// It is the last field of the answer. Items are encoded when they are added, so that
// their size is known, and are written one by one.
type largeList[T any] struct{ *encodedItems }

// encodedItems are the encoded items of a largeList.
type encodedItems struct {
	values  [][]byte
	size    int
	pending *pendingAnswers // counts them until they are written; nil in examples
	from    netip.Addr
}

// A listAnswer is an answer with a largeList.
type listAnswer interface {
	// split returns the answer with an empty list, and the items of the list.
	split() (rest any, list *encodedItems)
}

// add encodes v and adds it.
func (b *largeList[T]) add(v T) {
	if b.encodedItems == nil {
		b.encodedItems = &encodedItems{}
	}
	b.append(encoded(v))
}

// take removes and returns all items.
func (b *largeList[T]) take() *encodedItems {
	list := b.encodedItems
	b.encodedItems = nil
	return list
}

// append adds an encoded item.
func (p *encodedItems) append(line []byte) {
	p.values = append(p.values, line)
	p.size += len(line)
}

// isFull reports whether the answer is large enough.
func (p *encodedItems) isFull() bool { return p.size >= maxListBytes }

// maxListBytes is the size of a list that is not a page of one room. The last item
// may exceed it.
const maxListBytes = 256 << 10

// largeListOf returns a list of values, for examples.
func largeListOf[T any](values ...T) (b largeList[T]) {
	for _, v := range values {
		b.add(v)
	}
	return b
}

// encoded returns v as JSON. It panics if v cannot be encoded, which is a bug.
func encoded(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Errorf("encoding %T: %w", v, err))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// MarshalJSON encodes the whole list, for examples.
func (b largeList[T]) MarshalJSON() ([]byte, error) {
	if b.encodedItems == nil {
		return []byte("[]"), nil
	}
	return append(append([]byte("["), bytes.Join(b.values, []byte(","))...), ']'), nil
}

// Schema implements huma.SchemaProvider.
func (largeList[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[T](), true, "")}
}

// marshal writes an answer as JSON; huma calls it. It writes a largeList item by
// item, and releases the memory of each item once it is written.
func marshal(w io.Writer, v any) error {
	if b, ok := v.(listAnswer); ok {
		if rest, list := b.split(); list != nil {
			list.write(w, rest)
			return nil // a write fails only if the client has disconnected
		}
	}
	return huma.DefaultJSONFormat.Marshal(w, v)
}

func (p *encodedItems) write(w io.Writer, rest any) {
	if rw, ok := w.(http.ResponseWriter); ok && p.pending != nil {
		rc := http.NewResponseController(rw)
		defer p.pending.hold(p.from, p.size, func() {
			rc.SetWriteDeadline(time.Now()) // fails if the connection has no deadlines; it then stays
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

// buildList calls do, which makes the list of an answer to who, within the limits of
// the network. Few such calls run at the same time.
func (a *API) buildList(ctx context.Context, who chat.Who, do func(*room.Query, *encodedItems) error) error {
	from := who.Network
	query, err := a.hub.NewQuery(who)
	if err != nil {
		return err
	}
	p := &encodedItems{pending: &a.pending, from: from}
	defer func() { query.Close(p.size) }() // counts the work even if there is no answer
	if err := a.pageQueue.enter(ctx, from); err != nil {
		return err
	}
	defer a.pageQueue.leave(from)
	return do(query, p)
}

// limitReads limits how often a network may call an operation that costs little and
// does not use buildList.
func (a *API) limitReads(op huma.Operation) huma.Operation {
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		query, err := a.hub.NewQuery(a.door.UnknownCaller(r))
		if err != nil {
			a.door.Refuse(w, r, err)
			return
		}
		query.Close(0)
		next(ctx)
	})
	return op
}
