// Package tui is Parley in a terminal: a room on the whole screen (Run), its messages as lines for
// other programs (Follow), and lines of other programs as messages (Send). Start reading at Run.
//
// It talks to a server only through package client, and passes text of other people to the terminal
// only through Clean.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"parley/client"
)

// A Chat is the part of *client.Client that the screen uses.
type Chat interface {
	Next(ctx context.Context) (client.Event, error)
	Send(ctx context.Context, room, text string) (client.Receipt, error)
	Typing(ctx context.Context, room string) error
	History(ctx context.Context, room string, p client.Page) (client.History, error)
}

const (
	pageSize    = 100             // older messages fetched at once
	typingEvery = 3 * time.Second // how often the person's own typing is sent
	typingLasts = 5 * time.Second // how long another person's typing is shown
	maxComposer = 6               // lines
)

// Run shows a room that c has joined until the person leaves it or ctx ends. It reads the newest
// messages up to r.Seq from history. At the end it prints what the person has written and not sent.
func Run(ctx context.Context, c Chat, me client.Person, r client.Room, topic string, maxLength int, in io.Reader,
	out io.Writer,
) error {
	m := newModel(ctx, c, me, r, maxLength)
	m.topic = topic
	_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out),
		tea.WithoutSignalHandler()).Run()
	if text := m.drafts(); text != "" {
		fmt.Fprintf(out, "Not sent, as far as is known:\n%s\n", Clean(text))
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("show %s: %w", r.Name, err)
	}
	return ending(m.err)
}

// ending returns the reason why a room was closed, as a sentence if it came from the server.
func ending(err error) error {
	e, ok := errors.AsType[*client.Error](err)
	switch {
	case !ok:
		return err
	case e.Code == client.SessionEnded:
		return errors.New("this session has been signed out. Start again to come in as a new guest")
	}
	return errors.New(e.Message)
}

// A model is the state of the screen. Only Update changes it, on one goroutine.
type model struct {
	ctx  context.Context // the program's
	chat Chat
	me   client.Person
	room string

	topic   string         // the room's topic; "": none
	changes []client.Event // events since a page was requested, which may not be in it

	width, height int
	timeline      timeline
	composer      textarea.Model
	sending       bool // the first pending message is being sent; the others wait
	people        map[string]client.Person
	count         int
	togglePeople  bool // shown although the screen is narrow, or hidden although it is wide
	typing        map[string]typingPerson
	typingSent    time.Time
	lost          error // why there is no connection; nil: there is one
	loading       bool
	newest        int64 // newest seq of the room when it was joined or reset
	notice        string
	err           error // why the screen was closed
}

type typingPerson struct {
	name  string
	until time.Time
}

// Messages with which commands report to Update.
type (
	eventMsg   struct{ event client.Event }
	endMsg     struct{ err error }
	historyMsg struct {
		page client.History
		err  error
	}
	sentMsg struct {
		out *outgoing
		is  client.Receipt
		err error
	}
	tickMsg struct{}
)

func newModel(ctx context.Context, c Chat, me client.Person, r client.Room, maxLength int) *model {
	composer := textarea.New()
	composer.Prompt = "> "
	composer.Placeholder = "Write to " + cleanLine(r.Name)
	composer.ShowLineNumbers = false
	composer.CharLimit = maxLength
	composer.DynamicHeight = true
	composer.MinHeight, composer.MaxHeight = 1, maxComposer
	composer.KeyMap.InsertNewline = key.NewBinding(key.WithKeys("alt+enter", "shift+enter", "ctrl+j"))
	composer.SetVirtualCursor(false)
	composer.SetStyles(textarea.Styles{})
	composer.SetHeight(1)
	composer.Focus()
	m := &model{
		ctx: ctx, chat: c, me: me, room: r.Name, composer: composer, newest: r.Seq,
		people: map[string]client.Person{}, typing: map[string]typingPerson{}, count: r.Count,
	}
	m.here(r.Here)
	return m
}

// Init reads the newest history and starts to listen.
func (m *model) Init() tea.Cmd { return tea.Batch(m.next, m.loadOlder()) }

// next waits for one event. Update requests the next one after it has applied this one.
func (m *model) next() tea.Msg {
	e, err := m.chat.Next(m.ctx)
	if err != nil {
		return endMsg{err}
	}
	return eventMsg{e}
}

// loadOlder fetches the page before the oldest message shown.
func (m *model) loadOlder() tea.Cmd {
	before := m.newest + 1
	if len(m.timeline.messages) > 0 {
		before = m.timeline.messages[0].Seq
	}
	if m.loading || before <= 1 {
		return nil
	}
	m.loading = true
	return func() tea.Msg {
		h, err := m.chat.History(m.ctx, m.room, client.Page{Before: &before, Limit: pageSize})
		return historyMsg{h, err}
	}
}

// Update applies one message of the program: a key, an event, or the result of a command.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m, nil
	case tea.KeyPressMsg:
		return m, m.handleKey(msg)
	case tea.MouseWheelMsg:
		return m, m.wheel(msg)
	case eventMsg:
		return m, tea.Batch(m.apply(msg.event), m.next)
	case historyMsg:
		m.loading = false
		defer func() { m.changes = nil }()
		if msg.err != nil {
			m.notice = "Older messages did not come: " + why(msg.err)
			return m, nil
		}
		m.timeline.add(msg.page.Messages...)
		m.changeAgain(msg.page.Seq)
		return m, nil
	case sentMsg:
		m.sending = false
		m.timeline.stored(msg.out, msg.is, msg.err)
		return m, m.sendNext()
	case tickMsg:
		return m, nil // draw the typing line again
	case endMsg:
		if m.ctx.Err() == nil {
			m.err = msg.err
		}
		return m, tea.Quit
	}
	var cmd tea.Cmd
	m.composer, cmd = m.composer.Update(msg) // pasted text, for example
	return m, cmd
}

// changeAgain applies changes again that came while a page was requested and that the page is too
// old to contain.
func (m *model) changeAgain(after int64) {
	for _, e := range m.changes {
		if seq, _ := numbersOf(e); seq > after {
			m.timeline.apply(e)
		}
	}
}

func (m *model) apply(e client.Event) tea.Cmd {
	switch e := e.(type) {
	case client.Message:
		if e.Room == m.room {
			delete(m.typing, e.From.ID)
			m.timeline.add(e)
			m.changed(e)
		}
	case client.Reply, client.Edit, client.Delete, client.Reaction, client.Pin:
		m.changed(e)
	case client.Topic:
		m.topic = e.Text
	case client.Presence:
		m.count = e.Count
		m.here(e.Here)
		if e.Joined != nil {
			m.people[e.Joined.ID] = *e.Joined
		}
		if e.Left != nil {
			delete(m.people, e.Left.ID)
		}
		if e.Joined == nil && e.Left == nil && e.Here == nil {
			clear(m.people) // the server no longer lists the people of so large a room
		}
	case client.Typing:
		if e.From.ID != m.me.ID {
			m.typing[e.From.ID] = typingPerson{e.From.Name, time.Now().Add(typingLasts)}
			return tea.Tick(typingLasts, func(time.Time) tea.Msg { return tickMsg{} })
		}
	case client.Disconnected:
		m.lost = e.Err
		clear(m.typing)
	case client.Connected:
		m.lost, m.me = nil, e.Person
	case client.Reset:
		m.timeline.clear()
		m.changes = nil
		m.newest, m.loading = e.Seq, false
		m.notice = "The server was restored from a back-up."
		return m.loadOlder()
	case client.Left:
		m.err = e.Err
		return tea.Quit
	}
	return nil
}

// changed applies e to the messages, also to those that are still being sent.
func (m *model) changed(e client.Event) {
	if m.loading {
		m.changes = append(m.changes, e)
	}
	m.timeline.apply(e)
}

func (m *model) here(people []client.Person) {
	if people == nil {
		return
	}
	clear(m.people)
	for _, p := range people {
		m.people[p.ID] = p
	}
}

// sendNext sends the oldest pending message, one at a time, so that they are stored in the order in
// which they were written.
func (m *model) sendNext() tea.Cmd {
	i := slices.IndexFunc(m.timeline.pending, func(o *outgoing) bool { return o.seq == 0 && o.err == nil })
	if m.sending || i < 0 {
		return nil
	}
	m.sending = true
	out := m.timeline.pending[i]
	return func() tea.Msg {
		receipt, err := m.chat.Send(m.ctx, m.room, out.text)
		return sentMsg{out, receipt, err}
	}
}

func (m *model) sendTyping() tea.Cmd {
	if time.Since(m.typingSent) < typingEvery {
		return nil
	}
	m.typingSent = time.Now()
	return func() tea.Msg {
		_ = m.chat.Typing(m.ctx, m.room) // a lost typing notice does no harm
		return nil
	}
}

// why returns the part of an error that a person needs to know.
func why(err error) string {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Message
	}
	return err.Error()
}
