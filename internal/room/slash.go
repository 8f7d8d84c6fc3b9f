package room

import (
	"strings"

	"parley/internal/chat"
)

// A SlashCommand is a command that a person can type at the beginning of a message, after a slash.
type SlashCommand struct {
	Name string `json:"name" doc:"What stands behind the slash."`
	Args string `json:"args" doc:"What may follow, in words; empty if nothing does."`
	Help string `json:"help" doc:"What it does."`
	By   string `json:"by" enum:"server,client" doc:"Who carries it out: the server, within a message's text and on every door, or the client, if it can."`

	run func(d *chat.Draft, rest string) error
}

// SlashCommands lists all commands. A text with any other word after the slash is an ordinary text; so is a text that
// begins with two slashes, without the first.
var SlashCommands = []SlashCommand{
	{Name: "me", Args: "what you do", Help: "Say what you do: /me waves", By: "server", run: act},
	{
		Name: "topic", Args: "what the room is about", Help: "Set the room's topic; without words it has none",
		By: "server", run: setTopic,
	},
	{
		Name: "shrug", Args: "text", Help: `Put ¯\_(ツ)_/¯ behind your message`,
		By: "server", run: appendPicture(`¯\_(ツ)_/¯`),
	},
	{
		Name: "tableflip", Args: "text", Help: "Put (╯°□°)╯︵ ┻━┻ behind your message",
		By: "server", run: appendPicture("(╯°□°)╯︵ ┻━┻"),
	},
	{
		Name: "code", Args: "code", Help: "Show it as code; a first line of one word is its language",
		By: "server", run: code,
	},
	{Name: "spoiler", Args: "text", Help: "Hide it until somebody wants to see it", By: "server", run: spoiler},
	{Name: "nick", Args: "name", Help: "Take another name", By: "client"},
	{Name: "join", Args: "room", Help: "Go to a room", By: "client"},
	{Name: "help", Help: "Show what can be typed here", By: "client"},
}

// expandCopy is expand on a copy of the draft, so that the caller's draft stays on its stack.
func expandCopy(d chat.Draft) (chat.Draft, error) {
	err := expand(&d)
	return d, err
}

// expand carries out the slash command at the beginning of a draft's text, if there is one.
func expand(d *chat.Draft) error {
	if !strings.HasPrefix(d.Text, "/") || d.Attrs != nil && d.Attrs.Forward != nil {
		return nil
	}
	if strings.HasPrefix(d.Text, "//") {
		d.Text = d.Text[1:]
		return nil
	}
	word, rest := d.Text[1:], ""
	if i := strings.IndexAny(word, " \t\r\n"); i >= 0 {
		word, rest = word[:i], word[i+1:]
	}
	for _, c := range SlashCommands {
		if c.Name == word && c.run != nil {
			return c.run(d, rest)
		}
	}
	return nil
}

func act(d *chat.Draft, rest string) error {
	if strings.TrimSpace(rest) == "" {
		return &chat.Error{Code: chat.BadText, Message: "Say what you do: /me waves"}
	}
	x := chat.Attrs{}
	if d.Attrs != nil {
		x = *d.Attrs
	}
	x.Action = true
	d.Text, d.Attrs = strings.TrimSpace(rest), &x
	return nil
}

func setTopic(d *chat.Draft, rest string) error {
	d.Kind, d.Text, d.Target, d.Attrs = chat.Topic, rest, 0, nil
	return nil
}

func appendPicture(picture string) func(*chat.Draft, string) error {
	return func(d *chat.Draft, rest string) error {
		d.Text = strings.TrimSpace(strings.TrimSpace(rest) + " " + picture)
		return nil
	}
}

// code puts the text into a fenced code block whose fence is longer than any in the text.
func code(d *chat.Draft, rest string) error {
	if strings.TrimSpace(rest) == "" {
		return &chat.Error{Code: chat.BadText, Message: "Write the code behind /code."}
	}
	language := ""
	if first, lines, ok := strings.Cut(rest, "\n"); ok && isLanguage(first) && strings.TrimSpace(lines) != "" {
		language, rest = strings.TrimSpace(first), lines
	}
	fence := strings.Repeat("`", max(3, longestRun(rest, '`')+1))
	d.Text = fence + language + "\n" + strings.Trim(rest, "\n") + "\n" + fence
	return nil
}

// isLanguage reports whether a line can be the language of a code block: one word without backticks.
func isLanguage(line string) bool {
	return len(strings.Fields(line)) == 1 && !strings.Contains(line, "`")
}

// longestRun returns the length of the longest run of b in s.
func longestRun(s string, b byte) (longest int) {
	run := 0
	for i := range len(s) {
		if s[i] != b {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

func spoiler(d *chat.Draft, rest string) error {
	if strings.TrimSpace(rest) == "" {
		return &chat.Error{Code: chat.BadText, Message: "Write what is to be hidden behind /spoiler."}
	}
	rest = strings.Trim(strings.TrimRight(rest, " \t\r\n"), "\r\n")
	if !strings.ContainsAny(rest, "|\r\n\\") {
		d.Text = "||" + strings.TrimSpace(rest) + "||"
		return nil
	}
	bars := strings.Repeat("|", max(2, longestRun(rest, '|')+1)) // lines of bars hide blocks
	d.Text = bars + "\n" + rest + "\n" + bars
	return nil
}
