package tui

import (
	"hash/fnv"
	"slices"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"parley/client"
)

const (
	groupWindow = 5 * time.Minute // greatest time between two messages under one name
	maxMessages = 5000            // messages in memory; older ones are fetched as pages
)

// A timeline is a room's messages as lines of a terminal. It is read from the bottom: offset counts
// the lines below the view. So lines added above do not move the view; lines added below are added
// to offset.
type timeline struct {
	messages []client.Message // message states by seq
	pending  []*outgoing      // the person's own, in the order written
	me       string           // the id of the person who looks
	width    int
	offset   int // lines below the view; 0: the view follows the newest message
	unseen   int // messages that came while offset was not 0

	lines  []string       // of the first done messages, wrapped to width
	starts []int          // where the lines of each message begin
	bodies map[int64]body // of each message, cached because rendering takes time
	done   int            // how many messages are in lines
	last   client.Message // the last of them with which the next may be grouped
	open   map[int64]bool // messages whose spoilers are uncovered
}

// A body is a message's own lines.
type body struct {
	lines []string
	hides bool // they hold a spoiler, be it covered or not
}

// An outgoing message is the person's own message until it comes back in the room's order.
type outgoing struct {
	text string
	seq  int64 // 0 until it is stored
	err  error // why it was not stored
}

func (t *timeline) setWidth(width int) {
	if t.width != width {
		t.width = width
		t.bodies = nil
		t.redraw()
	}
}

// setMe sets who looks.
func (t *timeline) setMe(id string) {
	if t.me != id {
		t.me = id
		t.bodies = nil
		t.redraw()
	}
}

// redraw discards all lines, so that rendered makes them again.
func (t *timeline) redraw() { t.lines, t.starts, t.done, t.last = nil, nil, 0, client.Message{} }

// find returns the index of a message, or the one at which it would be inserted.
func (t *timeline) find(seq int64) (i int, found bool) {
	return slices.BinarySearchFunc(t.messages, seq, func(m client.Message, seq int64) int { return int(m.Seq - seq) })
}

// add inserts messages in any order, each once.
func (t *timeline) add(messages ...client.Message) {
	height := len(t.rendered())
	atBottom := t.offset == 0
	below := 0
	for _, m := range messages {
		i, found := t.find(m.Seq)
		if found {
			continue
		}
		if i == len(t.messages) {
			below++
		} else {
			t.redraw()
		}
		t.messages = slices.Insert(t.messages, i, m)
	}
	t.pending = slices.DeleteFunc(t.pending, t.hasArrived)
	if atBottom && len(t.messages) > maxMessages {
		// A quarter at a time, not one per message
		t.messages = slices.Clone(t.messages[len(t.messages)-maxMessages*3/4:])
		t.bodies = nil
		t.redraw()
	}
	if !atBottom && below > 0 {
		t.unseen += below
		t.offset += len(t.rendered()) - height
	}
}

// change changes a message if it is in memory. The view stays where it is.
func (t *timeline) change(seq int64, change func(*client.Message)) {
	i, found := t.find(seq)
	if !found {
		return
	}
	height := len(t.rendered())
	below := t.offset > 0 && t.starts[i] >= height-t.offset
	change(&t.messages[i])
	delete(t.bodies, seq)
	t.redraw()
	if below {
		t.offset += len(t.rendered()) - height
	}
}

func (t *timeline) hasArrived(o *outgoing) bool {
	return o.seq > 0 && slices.ContainsFunc(t.messages, func(m client.Message) bool { return m.Seq == o.seq })
}

// send shows a message that is being sent.
func (t *timeline) send(o *outgoing) {
	t.pending = append(t.pending, o)
	t.toBottom()
}

// stored records the result of sending an outgoing message. A command that made no message is not
// waited for.
func (t *timeline) stored(o *outgoing, r client.Receipt, err error) {
	o.seq, o.err = r.Seq, err
	t.pending = slices.DeleteFunc(t.pending, func(other *outgoing) bool {
		return t.hasArrived(other) || other == o && err == nil && r.Kind != "" && r.Kind != "message"
	})
}

// takeBack removes the newest message that could not be sent and returns its text.
func (t *timeline) takeBack() (string, bool) {
	for i, o := range slices.Backward(t.pending) {
		if o.err != nil {
			t.pending = slices.Delete(t.pending, i, i+1)
			return o.text, true
		}
	}
	return "", false
}

func (t *timeline) clear() {
	t.messages, t.bodies, t.open = nil, nil, nil
	t.redraw()
	t.toBottom()
}

func (t *timeline) toBottom() { t.offset, t.unseen = 0, 0 }

// scroll moves the view by n lines, up if n > 0. It reports whether the view is at the top.
func (t *timeline) scroll(n, height int) (atTop bool) {
	limit := max(0, len(t.rendered())-height)
	t.offset = min(max(0, t.offset+n), limit)
	if t.offset == 0 {
		t.unseen = 0
	}
	return t.offset == limit
}

// view returns height lines.
func (t *timeline) view(height int) []string {
	lines := t.rendered()
	end := max(min(height, len(lines)), len(lines)-t.offset)
	seen := lines[max(0, end-height):end]
	return append(make([]string, height-len(seen)), seen...)
}

// rendered returns all lines. It renders each message only once.
func (t *timeline) rendered() []string {
	for _, m := range t.messages[t.done:] {
		t.starts = append(t.starts, len(t.lines))
		if !sameDay(t.last.At, m.At) {
			day := "── " + m.At.Local().Format("Monday, 2 January 2006") + " ──"
			t.lines = append(t.lines, "", styleSoft.Render(ansi.Truncate(day, t.width, "…")))
			t.last = client.Message{}
		}
		if t.last.From.ID != m.From.ID || m.At.Sub(t.last.At) > groupWindow {
			head := nameStyle(m.From.ID).Render(cleanLine(m.From.Name)) + " " +
				styleSoft.Render(m.At.Local().Format("15:04"))
			t.lines = append(t.lines, "", ansi.Truncate(head, t.width, "…"))
		}
		t.lines = append(t.lines, t.body(m).lines...)
		t.last = m
	}
	t.done = len(t.messages)
	lines := slices.Clip(t.lines)
	for _, o := range t.pending {
		lines = append(lines, t.renderedPending(o)...)
	}
	return lines
}

// body returns a message's own lines. It caches them, because every reaction discards all lines.
func (t *timeline) body(m client.Message) body {
	b, ok := t.bodies[m.Seq]
	if !ok {
		if t.bodies == nil {
			t.bodies = map[int64]body{}
		}
		b = renderedMessage(m, t.me, t.width, t.open[m.Seq])
		t.bodies[m.Seq] = b
	}
	return b
}

// spoilers returns the messages with spoilers of which a part is in the view, and whether some are covered.
func (t *timeline) spoilers(height int) (seqs []int64, covered bool) {
	lines := len(t.rendered())
	bottom := lines - t.offset
	for i := len(t.messages) - 1; i >= 0 && bottom-height < t.end(i); i-- {
		if m := t.messages[i]; t.starts[i] < bottom && t.body(m).hides {
			seqs = append(seqs, m.Seq)
			covered = covered || !t.open[m.Seq]
		}
	}
	return seqs, covered
}

// end returns where the lines of the ith message end.
func (t *timeline) end(i int) int {
	if i+1 < len(t.starts) {
		return t.starts[i+1]
	}
	return len(t.lines)
}

// uncover shows the spoilers in the view, or covers them again if all of them are uncovered.
func (t *timeline) uncover(height int) {
	seqs, covered := t.spoilers(height)
	for _, seq := range seqs {
		if t.open == nil {
			t.open = map[int64]bool{}
		}
		t.open[seq] = covered
		t.change(seq, func(*client.Message) {})
	}
}

func (t *timeline) renderedPending(o *outgoing) []string {
	state, style := "on its way …", styleSoft
	if o.err != nil {
		state, style = "not sent: "+cleanLine(why(o.err))+" ↑ takes it back", styleBad
	}
	lines := []string{"", style.Render(ansi.Truncate(state, t.width, "…"))}
	for _, line := range wrap(Clean(o.text), t.width) {
		lines = append(lines, style.Render(line))
	}
	return lines
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Local().Date()
	by, bm, bd := b.Local().Date()
	return ay == by && am == bm && ad == bd
}

var (
	styleSoft  = lipgloss.NewStyle().Faint(true)
	styleBad   = lipgloss.NewStyle().Foreground(lipgloss.Red)
	styleTitle = lipgloss.NewStyle().Bold(true)
	styleBar   = lipgloss.NewStyle().Reverse(true)
)

// nameColors are from the terminal's own palette, so that they suit its background.
var nameColors = []lipgloss.Style{
	lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
	lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Green),
	lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Yellow),
	lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Blue),
	lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Magenta),
	lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Cyan),
}

// nameStyle returns a person's style, always the same for the same id.
func nameStyle(id string) lipgloss.Style {
	h := fnv.New32a()
	h.Write([]byte(id))
	return nameColors[h.Sum32()%uint32(len(nameColors))]
}
