package room

import (
	"context"
	"net/netip"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/rates"
)

// Bounds of what one request, or one resume, may cost.
const (
	pageBytes  = 256 << 10              // of a page, as JSON; but a page has at least one message
	formatAll  = 250 * time.Millisecond // for formatting a page's messages
	formatCode = 50 * time.Millisecond  // of that, for colouring code
	catchUpAll = 25 * time.Millisecond  // for the events of a resume, without colours; workers serve all readers
)

// Bounds of what one network may cost in the long run. Reading is counted in requests and bytes, formatting and
// searching in time.
const (
	readBurst = 20                     // times Config.ReadRate
	readUnit  = 16 << 10               // bytes that count as one more request
	workUnit  = 100 * time.Microsecond // unit of work
	workRate  = 2_000                  // units per second: a fifth of a core
	workBurst = 10_000                 // units at once
)

// A Budget is how long formatting may still take.
type Budget struct {
	All    time.Duration // for all rendering
	Colour time.Duration // of that, for colouring code
}

// readLimits counts what each network has cost.
type readLimits struct {
	reads *rates.Rates[netip.Addr]
	work  *rates.Rates[netip.Addr]
}

func newCosts(readRate float64) readLimits {
	work := float64(workRate)
	if readRate <= 0 {
		work = 0
	}
	return readLimits{
		reads: rates.New[netip.Addr](readRate, int(readBurst*readRate)),
		work:  rates.New[netip.Addr](work, workBurst),
	}
}

// budget returns how long formatting for a network may take now: at most all, of which at most colour is for colouring
// code.
func (c *readLimits) budget(network netip.Addr, all, colour time.Duration) Budget {
	if left := c.work.Left(network); left < int(all/workUnit) {
		all = time.Duration(max(left, 0)) * workUnit
	}
	return Budget{All: all, Colour: min(all, colour)}
}

// chargeFormatting counts the part of a budget that was used for a network.
func (c *readLimits) chargeFormatting(network netip.Addr, given, left Budget) {
	c.chargeTime(network, given.All-left.All)
}

// chargeTime counts processor time that was used for a network.
func (c *readLimits) chargeTime(network netip.Addr, took time.Duration) {
	c.work.Charge(network, int(took/workUnit))
}

// chargeBytes counts bytes that are sent to a network.
func (c *readLimits) chargeBytes(network netip.Addr, bytes int) {
	c.reads.Charge(network, bytes/readUnit)
}

// A Query reads for one request, with one budget for all its pages. It must not be used by several goroutines at once.
type Query struct {
	hub           *Hub
	who           chat.Who
	initial, left Budget
}

// NewQuery begins a Query, which Close ends. The error has code RateLimited if too much has been read from who's
// network.
func (h *Hub) NewQuery(who chat.Who) (*Query, error) {
	if err := h.mayRead(who.Network); err != nil {
		return nil, err
	}
	b := h.costs.budget(who.Network, formatAll, formatCode)
	return &Query{hub: h, who: who, initial: b, left: b}, nil
}

// MaySearch returns an error unless who may search now; ChargeSearch then counts the time. The error has code
// RateLimited if searches have taken too long for who's network.
func (h *Hub) MaySearch(who chat.Who) error {
	if err := access.May(who, access.Search, ""); err != nil {
		return err
	}
	if left := h.costs.work.Left(who.Network); left <= 0 {
		return &chat.Error{
			Code:       chat.RateLimited,
			Message:    "Enough has been done for your address for now. It will be possible again in a moment.",
			RetryAfter: time.Duration(1-left) * time.Second / workRate,
		}
	}
	return nil
}

// ChargeSearch counts the time of a search that MaySearch has allowed.
func (h *Hub) ChargeSearch(who chat.Who, took time.Duration) { h.costs.chargeTime(who.Network, took) }

func (h *Hub) mayRead(network netip.Addr) error {
	if wait := h.costs.reads.Take(network); wait > 0 {
		return &chat.Error{
			Code:       chat.RateLimited,
			Message:    "Too much has been read from your address. It will be possible again in a moment.",
			RetryAfter: wait,
		}
	}
	return nil
}

// Close ends the query and counts the bytes of the answer.
func (r *Query) Close(bytes int) {
	r.hub.costs.chargeFormatting(r.who.Network, r.initial, r.left)
	r.hub.costs.chargeBytes(r.who.Network, bytes)
}

// page reads a page and formats its messages. It cuts the page where it becomes too large.
func (r *Query) page(ctx context.Context, room chat.RoomName, sel chat.PageQuery) (chat.Page, error) {
	if err := access.May(r.who, access.Read, room); err != nil {
		return chat.Page{}, err
	}
	sel.Bytes = pageBytes
	page, err := r.hub.archive.Page(ctx, room, sel)
	if err == nil {
		err = r.hub.awaitArrival(ctx, room, page.Head)
	}
	if err != nil {
		return chat.Page{}, err
	}
	size := 0
	if page.Root != nil {
		size = r.render(&page.Root.Event) + aroundSize(page.Root)
	}
	mayStop := r.left.All > 0 // without a budget nothing is formatted, and no page is cut for it
	order := nearestFirst(page.Messages, sel)
	for i, m := range order {
		if i > 0 && sel.Seqs == nil && (size >= pageBytes || mayStop && r.left.All <= 0) {
			dropOthers(&page, order[:i], sel)
			return page, nil
		}
		size += aroundSize(m) + encodedSize(m.Text)
		if size < pageBytes || i == 0 { // messages chosen by seq are not cut; beyond the size they stay unformatted
			size += r.render(&m.Event)
		}
	}
	return page, nil
}

// render sets the HTML of an event, if its kind has any, and returns the size of that in bytes.
func (r *Query) render(e *chat.Event) int {
	r.hub.render(e, &r.left)
	return encodedSize(e.HTML)
}

// nearestFirst returns messages in the order in which a page is filled: from the position that was asked for outwards.
func nearestFirst(found []chat.MessageState, sel chat.PageQuery) []*chat.MessageState {
	order := make([]*chat.MessageState, 0, len(found))
	older, newer := len(found)-1, len(found)
	switch {
	case sel.Oldest, sel.Seqs != nil:
		older, newer = -1, 0
	case sel.Around != 0:
		for older >= 0 && found[older].Seq > sel.Around {
			older--
		}
		newer = older + 1
	}
	for older >= 0 || newer < len(found) {
		if older >= 0 {
			order = append(order, &found[older])
			older--
		}
		if newer < len(found) {
			order = append(order, &found[newer])
			newer++
		}
	}
	return order
}

// dropOthers removes the messages from a page that are not in kept, which is a prefix of nearestFirst's result, and
// sets More or Newer.
func dropOthers(page *chat.Page, kept []*chat.MessageState, sel chat.PageQuery) {
	within := make(map[chat.Seq]bool, len(kept))
	for _, m := range kept {
		within[m.Seq] = true
	}
	left := page.Messages[:0:0]
	cutOlder, cutNewer := false, false
	for _, m := range page.Messages {
		switch {
		case within[m.Seq]:
			left = append(left, m)
		case len(left) == 0:
			cutOlder = true
		default:
			cutNewer = true
		}
	}
	page.Messages = left
	if sel.Around != 0 {
		page.More, page.Newer = page.More || cutOlder, page.Newer || cutNewer
		return
	}
	page.More = true
}

// aroundSize returns about how many bytes a message takes as JSON, without its text and HTML.
func aroundSize(m *chat.MessageState) int {
	const fields, person = 300, 60
	size := fields + len(m.From.Name)
	for _, reaction := range m.Reactions {
		size += len(reaction.Emoji) + 40
		for _, p := range reaction.People {
			size += person + len(p.Name)
		}
	}
	if x := m.Attrs; x != nil {
		for _, p := range x.Mentions {
			size += person + len(p.Name)
		}
		if x.Quote != nil {
			size += person + encodedSize(x.Quote.Text)
		}
	}
	return size
}

// encodedSize returns how many bytes a text takes as JSON, or a few more.
func encodedSize(text string) int {
	size := len(text)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\\', c == '\n', c == '\t', c == '\r':
			size++
		case c < 0x20, c == 0x7f:
			size += 5
		}
	}
	return size
}
