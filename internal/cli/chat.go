package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"parley/client"
	"parley/internal/chat"
	"parley/internal/tui"
)

type chatCmd struct {
	URL     *url.URL      `arg:"" name:"url" placeholder:"URL" help:"Where the room is, such as http://localhost:8080/r/lobby."`
	More    []string      `arg:"" optional:"" name:"more" placeholder:"URL" help:"Other servers that have the same rooms: when one does not answer, the next one takes over."`
	Name    string        `help:"Name to go by; default: that of the last time on this server, else $$USER."`
	Follow  bool          `help:"Print messages as lines, one each, until interrupted; also when standard output is no terminal. What is done with them follows as lines that begin, after the time, with *."`
	JSON    bool          `name:"json" help:"With --follow: print each message as a JSON object, and what is done with them as objects with a kind."`
	History int           `default:"10" help:"With --follow: how many of the last messages to print first."`
	Timeout time.Duration `default:"1m" help:"When sending lines: how long to try with each, also across a restart of the server."`
}

// Help returns the part of parley chat --help after the flags.
func (c *chatCmd) Help() string {
	return "In a terminal this is the whole room. With something piped in, each line is sent as a message, and the " +
		"exit status is 0 when all are stored: echo deploy finished | parley chat http://localhost:8080/r/ops"
}

// roomIn returns the room that the address u names.
func roomIn(u *url.URL) (chat.RoomName, error) {
	name, ok := strings.CutPrefix(u.Path, "/r/")
	if name = strings.TrimSuffix(name, "/"); !ok || name == "" {
		return "", fmt.Errorf("%s is not the address of a room, such as http://localhost:8080/r/lobby", u)
	}
	room, err := chat.ParseRoomName(name)
	if e, ok := errors.AsType[*chat.Error](err); ok {
		return "", fmt.Errorf("%s: %s", u, e.Message)
	}
	return room, err
}

func (c *chatCmd) check() error {
	room, err := roomIn(c.URL)
	if err != nil {
		return err
	}
	for i, text := range c.More {
		text = strings.TrimSpace(text)
		if err := checkURL(text); err != nil {
			return fmt.Errorf("<more>: %w", err)
		}
		if u, _ := url.Parse(text); strings.Trim(u.Path, "/") != "" {
			if other, err := roomIn(u); err != nil || other != room {
				return fmt.Errorf("<more>: %s is another room than %s: leave out what follows the host", text, c.URL)
			}
		}
		c.More[i] = text
	}
	return nil
}

// Run shows the room, sends the lines of standard input, or prints new messages.
func (c *chatCmd) Run(ctx context.Context, con *console) (err error) {
	in, err := roomIn(c.URL)
	if err != nil {
		return err
	}
	name := string(in)
	cl, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer cl.Close()
	if !c.Follow && !isTerminal(os.Stdin) {
		return tui.Send(ctx, cl, name, os.Stdin, c.Timeout)
	}
	room, err := cl.Join(ctx, name)
	if err != nil {
		return err
	}
	if c.Follow || !isTerminal(con.stdout) {
		print := tui.PrintLine
		if c.JSON {
			print = tui.PrintJSON
		}
		return tui.Follow(ctx, cl, room, c.History, con.stdout, print)
	}
	return tui.Run(ctx, cl, cl.Person(), room, topicOf(ctx, cl, room.Name), cl.Limits().MessageLength, os.Stdin,
		con.stdout)
}

// topicOf returns a room's topic, or "" if it cannot be read: that is no reason not to show the
// room.
func topicOf(ctx context.Context, cl *client.Client, room string) string {
	rooms, _ := cl.Rooms(ctx)
	for _, r := range rooms {
		if r.Room == room {
			return r.Topic
		}
	}
	return ""
}

// dial connects with the session of the person who was used last. It is stored by the first address.
func (c *chatCmd) dial(ctx context.Context) (*client.Client, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("where to remember the session: %w", err)
	}
	sessions, err := tui.OpenSessions(filepath.Join(config, "parley"), c.URL.Scheme, c.URL.Host)
	if err != nil {
		return nil, err
	}
	who, session := sessions.Choose(c.Name, os.Getenv("USER"))
	cl, err := client.Dial(ctx, c.URL.String(), client.Options{Name: who, Session: session, More: c.More})
	if err != nil {
		return nil, err
	}
	if err := sessions.Save(who, cl.Person().Name, cl.Session()); err != nil {
		cl.Close()
		return nil, err
	}
	return cl, nil
}

// isTerminal reports whether f, a reader or a writer, is a terminal.
func isTerminal(f any) bool {
	file, ok := f.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(file.Fd())
}
