package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// A checker is a command with rules about several flags. check is called before the command does
// anything.
type checker interface{ check() error }

// check calls the check method of the chosen commands.
func check(command *kong.Context) error {
	for _, p := range command.Path {
		if p.Command == nil {
			continue
		}
		if c, ok := p.Command.Target.Addr().Interface().(checker); ok {
			if err := c.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// A badValue is the refusal of one value. The flag's name is put before it.
type badValue struct{ error }

// fromVariable matches kong's message about the value of an environment variable.
var fromVariable = regexp.MustCompile(`(?s)^(?:--[a-z-]+): (.*) \(from envar (\w+)=.*\)$`)

// refusal returns the message for a command line that was not understood.
func refusal(err error) string {
	text := err.Error()
	if m := fromVariable.FindStringSubmatch(text); m != nil {
		return m[2] + ": " + m[1]
	}
	_, says := errors.AsType[badValue](err)
	if _, parsing := errors.AsType[*kong.ParseError](err); parsing && !says {
		return text + "; try parley --help"
	}
	return text
}

// strictOptions makes every flag and argument of every command follow the same rules: blanks around
// a value are ignored; an empty value counts as unset, also in the environment; an invalid value is
// refused with a message that says what to write. A new flag gets these rules by its type.
func strictOptions(k *kong.Kong) {
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			f.Mapper = strictMapper{f.Mapper}
		}
		for _, p := range n.Positional {
			p.Mapper = strictMapper{p.Mapper}
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(k.Model.Node)
}

// strictMapper checks a value before the mapper for its type reads it.
type strictMapper struct{ inner kong.Mapper }

// Decode reads a value, or returns a badValue.
func (m strictMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if err := m.decode(ctx, target); err != nil {
		return badValue{err}
	}
	return nil
}

func (m strictMapper) decode(ctx *kong.DecodeContext, target reflect.Value) error {
	v, token := ctx.Value, ctx.Scan.Peek()
	text, isText := token.Value.(string)
	switch {
	case v.IsBool() && token.Type != kong.FlagValueToken:
		return m.inner.Decode(ctx, target) // the flag without a value means yes
	case !isText || token.IsEOL() || !token.IsValue() && !negative.MatchString(text):
		return fmt.Errorf("write a value after it, such as %s", example(v))
	case v.Flag == nil && v.IsSlice():
		return m.inner.Decode(ctx, target) // several arguments
	}
	ctx.Scan.Pop()
	values := valuesOf(v, text)
	if len(values) == 0 {
		return m.unset(ctx, target)
	}
	for i := range values {
		var err error
		if values[i], err = checkValue(v, values[i]); err != nil {
			return err
		}
	}
	text = values[0]
	if v.IsSlice() {
		text = kong.JoinEscaped(values, v.Tag.Sep)
	}
	return m.inner.Decode(ctx.WithScanner(kong.Scan().PushTyped(text, kong.FlagValueToken)), target)
}

// negative matches a negative number, which looks like a flag.
var negative = regexp.MustCompile(`(?i)^-([\d.]|inf)`)

// valuesOf returns the non-empty values in a text, without blanks around them: several for a list,
// otherwise at most one.
func valuesOf(v *kong.Value, text string) (values []string) {
	parts := []string{text}
	if v.IsSlice() {
		parts = kong.SplitEscaped(text, v.Tag.Sep)
	}
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			values = append(values, part)
		}
	}
	return values
}

// unset sets target to its default, as if neither the flag nor its variable were given.
func (m strictMapper) unset(ctx *kong.DecodeContext, target reflect.Value) error {
	v := ctx.Value
	if v.Flag == nil {
		return fmt.Errorf("it is empty; write %s", example(v))
	}
	for _, text := range append(environment(v.Tag.Envs), v.Default) {
		if len(valuesOf(v, text)) > 0 {
			return m.decode(ctx.WithScanner(kong.Scan().PushTyped(text, kong.FlagValueToken)), target)
		}
	}
	target.SetZero()
	return nil
}

// environment returns the values of variables.
func environment(names []string) (values []string) {
	for _, name := range names {
		values = append(values, os.Getenv(name))
	}
	return values
}

// example returns an example of a flag with a value.
func example(v *kong.Value) string {
	if v.Flag == nil {
		return "the " + v.Name
	}
	return v.Summary()
}

// Upper limits of numbers and durations. A greater value is taken for a typing mistake.
const (
	mostCount    = math.MaxInt32
	mostDuration = 10 * 365 * 24 * time.Hour
)

// checkValue checks one value and returns it in the form that the mapper for its type accepts.
func checkValue(v *kong.Value, text string) (string, error) {
	t := v.Target.Type()
	if v.IsSlice() {
		t = t.Elem()
	}
	switch {
	case v.Enum != "":
		return text, oneOf(text, v.EnumSlice()...)
	case t == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		if err != nil {
			return text, fmt.Errorf("write a duration with its unit, such as 90s or 1m30s, not %q", text)
		}
		least, _ := time.ParseDuration(v.Tag.Get("min")) // 0 without the tag
		return text, between(v, text, float64(d), float64(least), float64(mostDuration), mostDuration.String())
	case t == reflect.TypeFor[slog.Level]():
		return text, oneOf(strings.ToLower(text), "debug", "info", "warn", "error")
	case t == reflect.TypeFor[netip.Prefix]():
		return checkPrefix(text)
	case t == reflect.TypeFor[*url.URL]():
		return text, checkURL(text)
	}
	least, _ := strconv.ParseFloat(v.Tag.Get("min"), 64) // 0 without the tag
	switch t.Kind() {
	case reflect.Bool:
		return text, oneOf(strings.ToLower(text), "true", "false", "yes", "no", "1", "0")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return text, fmt.Errorf("write a whole number, such as %s, not %q", cmp.Or(v.Default, "100"), text)
		}
		// Return the number in plain form, because the mapper would read 010 as an octal 8.
		return strconv.FormatInt(n, 10), between(v, text, float64(n), least, mostCount, strconv.Itoa(mostCount))
	case reflect.Uint, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return text, fmt.Errorf("write a whole number that is not negative, such as 100, not %q", text)
		}
		return strconv.FormatUint(n, 10), nil
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return text, fmt.Errorf("write a number, such as 5 or 0.5, not %q", text)
		}
		return text, between(v, text, n, least, mostCount, strconv.Itoa(mostCount))
	}
	return text, nil
}

func oneOf(text string, words ...string) error {
	for _, word := range words {
		if text == word {
			return nil
		}
	}
	last := len(words) - 1
	return fmt.Errorf("write %s or %s, not %q", strings.Join(words[:last], ", "), words[last], text)
}

// between returns an error if n is less than the tag min of v (default 0) or greater than most.
func between(v *kong.Value, text string, n, least, most float64, mostText string) error {
	switch {
	case n < least:
		return fmt.Errorf("write %s or more, not %q", cmp.Or(v.Tag.Get("min"), "0"), text)
	case n > most:
		return fmt.Errorf("write %s or less, not %q", mostText, text)
	}
	return nil
}

// checkPrefix returns a network; for a single address, the network that contains only it.
func checkPrefix(text string) (string, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()).String(), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return text, fmt.Errorf("write an address or a network, such as 127.0.0.1 or 172.17.0.0/16, not %q", text)
	}
	if addr := p.Addr(); addr.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(addr.Unmap(), p.Bits()-96) // IPv4 addresses of connections are unmapped too
	}
	return p.Masked().String(), nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf(
			"write an address that begins with http:// or https://, such as http://localhost:8080, not %q", text)
	}
	return nil
}

// checkListen returns an error if value, given for flag, is not an address to listen on.
func checkListen(flag, value string) error {
	host, port, err := net.SplitHostPort(value)
	if err == nil && port != "" {
		if _, err = net.LookupPort("tcp", port); err == nil && (host == "" || isListenHost(host)) {
			return nil
		}
	}
	return fmt.Errorf("%s: write an address and a port, or a colon and a port, such as 127.0.0.1:8080 or :8080, not %q",
		flag, value)
}

// isListenHost reports whether host is an address, or a name that can have one.
func isListenHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return listenName.MatchString(host)
}

var listenName = regexp.MustCompile(`^([A-Za-z0-9_-]+\.)*[A-Za-z_-][A-Za-z0-9_-]*$`)

// isLoopbackListen reports whether a socket that listens on address can be reached only from this
// machine.
func isLoopbackListen(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// check checks the rules about several flags of serve.
func (c *serveCmd) check() error {
	for _, f := range [][2]string{
		{"--listen", c.Listen}, {"--http-listen", c.HTTPListen}, {"--metrics-listen", c.HTTP.MetricsListen},
	} {
		if f[1] == "" {
			continue
		}
		if err := checkListen(f[0], f[1]); err != nil {
			return err
		}
	}
	if err := c.HTTP.Check(); err != nil {
		return err
	}
	if err := c.databaseFlags.check(); err != nil {
		return err
	}
	if err := c.clusterFlags.check(c.Database); err != nil {
		return err
	}
	if c.HTTPListen != "" && len(c.HTTP.Domain) == 0 {
		return errors.New(
			"--http-listen is where plain HTTP is answered beside the HTTPS of --domain: add --domain, or leave it out")
	}
	sockets := []string{c.listenAddress()}
	if len(c.HTTP.Domain) > 0 {
		sockets = append(sockets, c.httpListenAddress())
	}
	for _, address := range sockets {
		if c.HTTP.DebugEcho && !isLoopbackListen(address) {
			return fmt.Errorf(
				"--debug-echo answers whoever asks, so it needs a --listen that only this machine can reach, "+
					"such as 127.0.0.1:8080, not %s", address)
		}
	}
	return nil
}
