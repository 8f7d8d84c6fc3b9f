package tui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"parley/client"
	"parley/internal/chat"
	"parley/internal/format"
)

const (
	wideFrom    = 90 // cells; from this width on there is a column for the people in the room
	peopleWidth = 24
)

// View draws the screen: a bar, the messages and perhaps the people, a status line, and the
// composer.
func (m *model) View() tea.View {
	if m.width < 10 || m.height < 4 {
		return tea.NewView("")
	}
	m.layout()
	lines := []string{m.bar()}
	messages := m.timeline.view(m.messageLines())
	if m.showsPeople() {
		messages = columns(messages, m.peopleColumn(len(messages)), m.width-peopleWidth)
	}
	lines = append(lines, messages...)
	lines = append(lines, m.status(), m.composer.View())
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = cleanLine(m.room) + " · Parley"
	if v.Cursor = m.composer.Cursor(); v.Cursor != nil {
		v.Cursor.Y += m.height - m.composer.Height()
	}
	return v
}

// layout sets the widths of the parts.
func (m *model) layout() {
	m.composer.SetWidth(m.width)
	width := m.width
	if m.showsPeople() {
		width -= peopleWidth
	}
	m.timeline.setWidth(width)
	m.timeline.setMe(m.me.ID)
}

// messageLines returns how many lines are left for messages.
func (m *model) messageLines() int { return max(1, m.height-2-m.composer.Height()) }

func (m *model) showsPeople() bool {
	return m.width >= wideFrom != m.togglePeople && m.width > 2*peopleWidth
}

func (m *model) bar() string {
	state := fmt.Sprintf("%d here", m.count)
	if m.lost != nil {
		state = "no connection, trying again"
	}
	left := " " + cleanLine(m.room) + " · " + state
	if m.topic != "" {
		left += " · " + cleanLine(format.Preview(m.topic, chat.MaxTopic))
	}
	right := cleanLine(m.me.Name) + " "
	space := m.width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if space < 1 { // cut the topic rather than the person's name
		if short := ansi.Truncate(left, max(0, m.width-ansi.StringWidth(right)-1), "…"); m.topic != "" {
			return styleBar.Render(pad(short, m.width-ansi.StringWidth(right)) + right)
		}
		return styleBar.Render(pad(left, m.width))
	}
	return styleBar.Render(left + strings.Repeat(" ", space) + right)
}

// status returns the line above the composer: the most important notice.
func (m *model) status() string {
	switch {
	case m.notice != "":
		return styleBad.Render(pad(cleanLine(m.notice), m.width))
	case m.lost != nil:
		return styleBad.Render(
			pad("Connection lost ("+cleanLine(m.lost.Error())+"). What you write waits here.", m.width))
	case m.timeline.unseen > 0:
		return styleTitle.Render(pad(fmt.Sprintf("↓ %d new, Ctrl+End shows them", m.timeline.unseen), m.width))
	case m.loading:
		return styleSoft.Render(pad("Older messages are on their way …", m.width))
	case m.typingLine() != "":
		return styleSoft.Render(pad(m.typingLine(), m.width))
	}
	if _, covered := m.timeline.spoilers(m.messageLines()); covered {
		return styleSoft.Render(pad("Ctrl+R shows what is hidden", m.width))
	}
	return styleSoft.Render(pad("Enter sends · Alt+Enter new line · PgUp older · Tab who is here · Esc quits", m.width))
}

func (m *model) typingLine() string {
	var names []string
	for _, t := range m.typing {
		if time.Now().Before(t.until) {
			names = append(names, cleanLine(t.name))
		}
	}
	slices.Sort(names)
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " is typing …"
	case 2, 3:
		return strings.Join(names, ", ") + " are typing …"
	}
	return fmt.Sprintf("%d people are typing …", len(names))
}

// peopleColumn lists the people in the room in height lines.
func (m *model) peopleColumn(height int) []string {
	people := slices.SortedFunc(maps.Values(m.people), func(a, b client.Person) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	lines := []string{styleTitle.Render(fmt.Sprintf("Here (%d)", m.count))}
	for _, p := range people {
		name := cleanLine(p.Name)
		if p.ID == m.me.ID {
			name += " (you)"
		}
		lines = append(lines, nameStyle(p.ID).Render(ansi.Truncate(name, peopleWidth-3, "…")))
	}
	if len(people) == 0 && m.count > 0 {
		lines = append(lines, styleSoft.Render("Too many to list"))
	}
	if len(lines) > height {
		lines = append(lines[:height-1], styleSoft.Render("…"))
	}
	return lines
}

// columns puts the lines of right beside those of left, which are width cells wide.
func columns(left, right []string, width int) []string {
	for i := range left {
		text := ""
		if i < len(right) {
			text = right[i]
		}
		left[i] = pad(left[i], width) + styleSoft.Render("│ ") + text
	}
	return left
}

// pad pads or cuts s to exactly width cells.
func pad(s string, width int) string {
	s = ansi.Truncate(s, width, "…")
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}
