package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// handleKey handles a key press.
func (m *model) handleKey(msg tea.KeyPressMsg) tea.Cmd {
	m.notice = ""
	switch msg.String() {
	case "ctrl+c":
		return tea.Quit
	case "esc":
		if m.drafts() != "" {
			m.notice = "Not all is sent. Ctrl+C leaves, and prints it"
			return nil
		}
		return tea.Quit
	case "enter":
		return m.submit()
	case "pgup":
		return m.scroll(m.messageLines() - 1)
	case "pgdown":
		return m.scroll(1 - m.messageLines())
	case "shift+up":
		return m.scroll(1)
	case "shift+down":
		return m.scroll(-1)
	case "ctrl+end":
		m.timeline.toBottom()
		return nil
	case "ctrl+r":
		m.timeline.uncover(m.messageLines())
		return nil
	case "tab":
		m.togglePeople = !m.togglePeople
		return nil
	case "up":
		if m.composer.Value() == "" {
			if text, ok := m.timeline.takeBack(); ok {
				m.composer.SetValue(text)
				return nil
			}
		}
	}
	before := m.composer.Value()
	var cmd tea.Cmd
	m.composer, cmd = m.composer.Update(msg)
	if now := m.composer.Value(); now != before && strings.TrimSpace(now) != "" {
		return tea.Batch(cmd, m.sendTyping())
	}
	return cmd
}

// drafts returns what the person has written and the server has not taken, as paragraphs.
func (m *model) drafts() string {
	var texts []string
	for _, o := range m.timeline.pending {
		if o.seq == 0 {
			texts = append(texts, o.text)
		}
	}
	if text := strings.TrimSpace(m.composer.Value()); text != "" {
		texts = append(texts, text)
	}
	return strings.Join(texts, "\n\n")
}

func (m *model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	switch msg.Button {
	case tea.MouseWheelUp:
		return m.scroll(3)
	case tea.MouseWheelDown:
		return m.scroll(-3)
	}
	return nil
}

func (m *model) scroll(lines int) tea.Cmd {
	if atTop := m.timeline.scroll(lines, m.messageLines()); atTop && lines > 0 {
		return m.loadOlder()
	}
	return nil
}

func (m *model) submit() tea.Cmd {
	text := strings.TrimSpace(m.composer.Value())
	if text == "" {
		return nil
	}
	if said := notForHere(text); said != "" {
		m.notice = said
		return nil
	}
	m.composer.Reset()
	m.typingSent = time.Time{}
	m.timeline.send(&outgoing{text: text})
	return m.sendNext()
}

// notForHere returns a hint for a slash command that clients carry out and this one does not
// support. Sending it as a message would show it to everybody.
func notForHere(text string) string {
	switch word, _, _ := strings.Cut(text, " "); word {
	case "/help":
		return "/me waves · /topic what it is about · /shrug · /tableflip · /code · /spoiler · //text begins with a " +
			"slash"
	case "/nick":
		return "Your name is what you start this with: parley chat --name NAME"
	case "/join":
		return "Another room is another address: parley chat URL"
	}
	return ""
}
