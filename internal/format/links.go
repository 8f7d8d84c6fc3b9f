package format

import (
	"bytes"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/idna"
)

// links parses [text](address), and ![text](address) as a link too, because an image would be
// loaded from elsewhere. It replaces goldmark's parser, so that text that is not a link stays
// exactly as typed, each bracket costs the same, and there are no reference definitions, which
// would not be shown.
type links struct{}

// An openBracket is a bracket that may begin a link's text.
type openBracket struct {
	ast.BaseInline
	segment text.Segment
	image   bool
	inert   bool     // it contains a link; links cannot be nested
	bottom  ast.Node // the last delimiter before it, or nil
}

// A namedLink is a link whose text is not its address. Its child nodes are the text.
type namedLink struct {
	ast.BaseInline
	typed      []byte // the address as typed
	href, host string // see resolve
}

var (
	kindNamedLink   = ast.NewNodeKind("NamedLink")
	kindOpenBracket = ast.NewNodeKind("OpenBracket")
	openBrackets    = parser.NewContextKey() // []*openBracket: those of the current block
)

func (*namedLink) Kind() ast.NodeKind { return kindNamedLink }

func (l *namedLink) Dump(source []byte, level int) { ast.DumpHelper(l, source, level, nil, nil) }

func (*openBracket) Kind() ast.NodeKind { return kindOpenBracket }

func (b *openBracket) Dump(source []byte, level int) { ast.DumpHelper(b, source, level, nil, nil) }

func (links) Trigger() []byte { return []byte("![]") }

func (links) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	open, _ := pc.Get(openBrackets).([]*openBracket)
	if line[0] == ']' {
		if len(open) == 0 {
			return nil
		}
		last := open[len(open)-1]
		pc.Set(openBrackets, open[:len(open)-1])
		return closeBracket(parent, block, pc, last)
	}
	n := 1
	if line[0] == '!' {
		if len(line) == 1 || line[1] != '[' {
			return nil
		}
		n = 2
	}
	b := &openBracket{segment: segment.WithStop(segment.Start + n), image: n == 2}
	if d := pc.LastDelimiter(); d != nil { // avoids a nil pointer in an interface
		b.bottom = d
	}
	block.Advance(n)
	pc.Set(openBrackets, append(open, b))
	return b
}

// closeBracket returns the link whose text ends here, or nil if there is none.
func closeBracket(parent ast.Node, block text.Reader, pc parser.Context, b *openBracket) ast.Node {
	line, segment := block.PeekLine()
	link, n := destination(line[1:])
	hides, _ := pc.Get(openSpoilers).([]*openSpoiler)
	crosses := len(hides) > 0 && hides[len(hides)-1].segment.Start > b.segment.Start
	words := block.Source()[b.segment.Stop:segment.Start]
	if link == nil || crosses || b.inert || bytes.ContainsFunc(words, changesDirection) {
		ast.MergeOrReplaceTextSegment(b.Parent(), b, b.segment)
		return nil
	}
	block.Advance(1 + n)
	parser.ProcessDelimiters(b.bottom, pc)
	for c := b.NextSibling(); c != nil; {
		next := c.NextSibling()
		parent.RemoveChild(parent, c)
		link.AppendChild(link, c)
		c = next
	}
	parent.RemoveChild(parent, b)
	if !b.image {
		open, _ := pc.Get(openBrackets).([]*openBracket)
		for i := len(open) - 1; i >= 0 && !open[i].inert; i-- {
			open[i].inert = !open[i].image
		}
	}
	return link
}

// changesDirection reports whether r changes the text direction: in a link's text it could disguise
// the target.
func changesDirection(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }

// CloseBlock turns unclosed brackets into text.
func (links) CloseBlock(_ ast.Node, _ text.Reader, pc parser.Context) {
	open, _ := pc.Get(openBrackets).([]*openBracket)
	for _, b := range open {
		ast.MergeOrReplaceTextSegment(b.Parent(), b, b.segment)
	}
	pc.Set(openBrackets, nil)
}

// webAddress matches an address that may be the target of a link: without spaces, quotes or brackets, and without
// invisible characters, which could disguise it.
var webAddress = func() *regexp.Regexp {
	const other = "[^\\s\\pZ\\pC<>\"`{}|\\\\^\\[\\]«»“”„"
	return regexp.MustCompile(`^(?:(?i:https?)://(?:[\pL\pN]|\[[0-9a-fA-F:.]+\])` + other + `]*|` +
		`(?i:mailto):[\pL\pN]` + other + `@:]*@[\pL\pN]` + other + `@:]*)`)
}()

// destination returns a link to the address in parentheses at the start of s, and the number of
// bytes it takes. It returns nil if there is no address, or if no link to it is allowed.
func destination(s []byte) (link *namedLink, n int) {
	if len(s) == 0 || s[0] != '(' {
		return nil, 0
	}
	i := 1 + spaces(s[1:])
	angle := i < len(s) && s[i] == '<'
	if angle {
		i++
	}
	address := s[i : i+addressLen(s[i:])]
	i += len(address)
	if angle {
		if i == len(s) || s[i] != '>' {
			return nil, 0
		}
		i++
	}
	i += spaces(s[i:])
	if i == len(s) || s[i] != ')' || len(webAddress.Find(address)) != len(address) {
		return nil, 0
	}
	href, host, ok := resolve(string(address))
	if !ok {
		return nil, 0
	}
	return &namedLink{typed: address, href: href, host: host}, i + 1
}

func spaces(s []byte) int { return len(s) - len(bytes.TrimLeft(s, " \t")) }

// addressLen returns where the address at the start of s may end: at a space, a bracket, or a
// closing parenthesis without its opening one.
func addressLen(s []byte) int {
	open := 0
	ipv6 := ipv6Host.Find(s)
	for i, c := range s[len(ipv6):] {
		i += len(ipv6)
		switch c {
		case '(':
			open++
		case ')':
			if open--; open < 0 {
				return i
			}
		case ' ', '\t', '\n', '<', '>', '[', ']', '"', '`', '\\', '|':
			return i
		}
		if i == maxAddress {
			return 0
		}
	}
	return len(s)
}

// ipv6Host matches the beginning of an address whose host is an IPv6 address.
var ipv6Host = regexp.MustCompile(`^(?i:https?)://\[[0-9a-fA-F:.]+\]`)

// plainHost matches a host that every browser understands alike, with its port.
var plainHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.?(:[0-9]{1,5})?$`)

// resolve returns address in the form for a link, and its host in letters that cannot be mistaken
// for others: a domain name with accents or in another script is in the DNS form (xn--…). It
// refuses addresses with a user name, which can look like a host, and numbers that browsers read as
// an IPv4 address in an unusual notation.
func resolve(address string) (href, host string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", false
	}
	if u.Scheme == "mailto" {
		return "mailto:" + address[len("mailto:"):], u.Opaque, isASCII(address) && !strings.Contains(u.Opaque, "%")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.Is6() && ip.Zone() == "" && u.User == nil {
		host = "[" + ip.String() + "]"
		if port := u.Port(); port != "" {
			host += ":" + port
		}
		u.Host = host
		begin := u.Scheme + "://" + host
		rest := strings.TrimPrefix(u.String(), begin)
		return begin + string(util.URLEscape([]byte(rest), false)), host, true
	}
	name, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil || u.User != nil || endsInNumber(name) && !isIPv4(name) {
		return "", "", false
	}
	host = name
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	if !plainHost.MatchString(host) {
		return "", "", false
	}
	u.Host = host
	return string(util.URLEscape([]byte(u.String()), false)), host, true
}

// endsInNumber reports whether a browser takes host for an IPv4 address, valid or not (WHATWG URL,
// "ends in a number checker").
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func isIPv4(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Is4()
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// namedLink writes a link and, unless its text already shows it, its host. If the text contains a
// spoiler, all of it is hidden: a reader who wants to uncover a half-hidden link would follow it.
func (w *writer) namedLink(n *namedLink, depth int) {
	if w.inLink { // an image within a link's text, or a link within an image's
		w.children(n, depth+1)
		return
	}
	if !w.inSpoiler && holdsSpoiler(n) {
		w.spoiler(func() { w.namedLink(n, depth+1) })
		return
	}
	w.openLink(n.href)
	start := w.out.Len()
	w.inLink = true
	w.children(n, depth+1)
	w.inLink = false
	name := w.out.String()[start:]
	if len(bytes.TrimSpace([]byte(name))) == 0 {
		w.plain(n.typed)
		name = string(util.EscapeHTML(n.typed))
	}
	w.out.WriteString("</a>")
	if !namesTarget(name, n.href, n.host) {
		w.host(n.host)
	}
}

// address writes an address in the text as a link, with its host if the text does not show it
// exactly. An address that may not be a link stays text.
func (w *writer) address(label []byte, mail bool) {
	address := string(label)
	switch {
	case mail:
		address = "mailto:" + address
	case len(address) > 4 && strings.EqualFold(address[:4], "www."):
		address = "https://" + address
	}
	href, host, ok := resolve(address)
	if !ok || w.inLink {
		w.plain(label)
		return
	}
	w.openLink(href)
	w.plain(label)
	w.out.WriteString("</a>")
	if !writesHost(address, host) {
		w.host(host)
	}
	w.formatted = true
}

// writesHost reports whether address contains host exactly, except for capitals: other letters,
// even equivalent ones, could be mistaken.
func writesHost(address, host string) bool {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		_, rest, _ = strings.Cut(address, ":")
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return isASCII(rest) && strings.EqualFold(rest, host)
}

// host writes the host of the link before it.
func (w *writer) host(host string) {
	w.out.WriteString(`<span class="host"> (`)
	w.plain([]byte(host))
	w.out.WriteString(`)</span>`)
}

func holdsSpoiler(n ast.Node) bool {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Kind() == kindSpoiler || holdsSpoiler(c) {
			return true
		}
	}
	return false
}

// namesTarget reports whether a link's text, as HTML, is its address or host.
func namesTarget(name, href, host string) bool {
	href = string(util.EscapeHTML([]byte(href)))
	name = strings.TrimSuffix(name, "/")
	_, bare, _ := strings.Cut(strings.TrimSuffix(href, "/"), ":")
	return name == strings.TrimSuffix(href, "/") || name == strings.TrimPrefix(bare, "//") || name == host
}

// openLink begins a link to another site. The target gets no referrer and no reference to the page.
func (w *writer) openLink(href string) {
	w.out.WriteString(`<a href="`)
	w.out.Write(util.EscapeHTML([]byte(href)))
	w.out.WriteString(`" target="_blank" rel="` + linkRel + `">`)
}
