package format

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const leaves = ` target="_blank" rel="nofollow noopener noreferrer">`

func TestNamedLinkShowsWhereItLeads(t *testing.T) {
	link := func(href, name, host string) string {
		if host != "" {
			host = `<span class="host"> (` + host + `)</span>`
		}
		return `<a href="` + href + `"` + leaves + name + "</a>" + host
	}
	checkHTML(t, map[string]struct{ text, want string }{
		"named": {
			"see [the *map*](https://example.org/map).",
			"<p>see " + link("https://example.org/map", "the <em>map</em>", "example.org") + ".</p>",
		},
		"another host": {
			"[https://bank.example](https://evil.example/)",
			"<p>" + link("https://evil.example/", "https://bank.example", "evil.example") + "</p>",
		},
		"looks like host": {
			"[bank.example (bank.example)](https://evil.example)",
			"<p>" + link("https://evil.example", "bank.example (bank.example)", "evil.example") + "</p>",
		},
		"port": {
			"[a](http://localhost:8080/r/x)", "<p>" + link("http://localhost:8080/r/x", "a", "localhost:8080") + "</p>",
		},
		"angles": {
			"[a]( <https://example.org/a> )", "<p>" + link("https://example.org/a", "a", "example.org") + "</p>",
		},
		"parentheses": {
			"([a](https://example.org/b_(c)))",
			"<p>(" + link("https://example.org/b_(c)", "a", "example.org") + ")</p>",
		},
		"ampersand": {
			"[a](https://example.org/?a=1&b=2)",
			"<p>" + link("https://example.org/?a=1&amp;b=2", "a", "example.org") + "</p>",
		},
		"mail": {
			"[me](mailto:ada@example.org)", "<p>" + link("mailto:ada@example.org", "me", "ada@example.org") + "</p>",
		},
		"other script": {
			"[a](https://аррӏе.com/)", "<p>" + link("https://xn--80ak6aa92e.com/", "a", "xn--80ak6aa92e.com") + "</p>",
		},
		"says another": {
			"[https://аррӏе.com/](https://аррӏе.com/)",
			"<p>" + link("https://xn--80ak6aa92e.com/", "https://аррӏе.com/", "xn--80ak6aa92e.com") + "</p>",
		},
		"capitals": {
			"[a](https://EXAMPLE.org)", "<p>" + link("https://example.org", "a", "example.org") + "</p>",
		},
		"its address": {
			"[https://example.org/a](https://example.org/a)",
			"<p>" + link("https://example.org/a", "https://example.org/a", "") + "</p>",
		},
		"its short form": {
			"[example.org/a](https://example.org/a/)",
			"<p>" + link("https://example.org/a/", "example.org/a", "") + "</p>",
		},
		"its host": {
			"[example.org](https://example.org/a)", "<p>" + link("https://example.org/a", "example.org", "") + "</p>",
		},
		"no name": {
			"[](https://example.org/a)", "<p>" + link("https://example.org/a", "https://example.org/a", "") + "</p>",
		},
		"image": {
			"![a cat](https://example.org/cat.png)",
			"<p>" + link("https://example.org/cat.png", "a cat", "example.org") + "</p>",
		},
		"image in link": {
			"[![a](https://b.example/)](https://c.example/)",
			"<p>" + link("https://c.example/", "a", "c.example") + "</p>",
		},
		"link in image": {
			"![a [b](https://b.example/)](https://c.example/)",
			"<p>" + link("https://c.example/", "a b", "c.example") + "</p>",
		},
		"link in link": {
			"[a [b](https://b.example/)](https://c.example/)",
			`<p>[a ` + link("https://b.example/", "b", "b.example") + `](` +
				link("https://c.example/", "https://c.example/", "") + `)</p>`,
		},
		"across strong": {
			"**a [b** c](https://d.example) e", "<p>**a " + link("https://d.example", "b** c", "d.example") + " e</p>",
		},
		"in a spoiler": {
			"||[a](https://b.example)||",
			`<p><span class="spoiler">` + link("https://b.example", "a", "b.example") + "</span></p>",
		},
		"with a spoiler": {
			"[a ||b||](https://c.example)",
			`<p><span class="spoiler">` + link("https://c.example", "a b", "c.example") + "</span></p>",
		},
		"after brackets": {
			"[1] [a](https://b.example)", "<p>[1] " + link("https://b.example", "a", "b.example") + "</p>",
		},
		"escaped": {
			`\[a c](https://b.example/)`, "<p>[a c](" + link("https://b.example/", "https://b.example/", "") + ")</p>",
		},
	})
}

// An address that looks like another host than its target is followed by that host, or is not a
// link.
func TestAddressInTextShowsWhereItLeads(t *testing.T) {
	hosts := map[string]string{ // the host shown beside the address; "-": not a link
		"https://example.org/a":            "",
		"https://EXAMPLE.org:8080?a":       "",
		"http://10.0.0.1:8080/":            "",
		"https://xn--pple-43d.com/":        "",
		"https://example.org/@user":        "",
		"https://example.org/?a@b":         "",
		"mailto:ada@example.org?subject=a": "",
		"https://\u0430pple.com/":          "xn--pple-43d.com", // Cyrillic а
		// Punctuation that is not ASCII ends an address, so that these lead to the first host.
		"https://paypal.com\u3002evil.example/":      "",                 // 。 is a dot to the DNS
		"https://paypal.com\uff0eevil.example":       "",                 // ．
		"https://paypal.com\uff61evil.example":       "",                 // ｡
		"https://\uff50\uff41\uff59pal.example/":     "paypal.example",   // full width
		"https://face\u212aook.example/":             "facekook.example", // the Kelvin sign is a k
		"https://m\u00fcnchen.example:8080/":         "xn--mnchen-3ya.example:8080",
		"https://stra\u00dfe.example":                "xn--strae-oqa.example",
		"http://\u2460\u2461.example":                "12.example", // ①②
		"https://paypal.com@evil.example":            "-",
		"https://paypal.com:443@evil.example/":       "-",
		"https://paypal.com%40evil.example/":         "-",
		"https://paypal.com\uff20evil.example/":      "", // ＠
		"https://paypal.com\u2044login.evil.example": "", // fraction slash
		"https://paypal.com\u2215login.evil.example": "", // division slash
		"https://paypal.com\u29f8login.evil.example": "", // big solidus
		"https://paypal.com\uff0flogin.evil.example": "", // full width slash
		// full width question mark
		"https://paypal.com\uff1flogin.evil.example": "",
		"https://paypal.com\uff03login.evil.example": "", // full width number sign
		"https://paypal%2ecom.evil.example/":         "-",
		"https://%70aypal.com/":                      "-",
		// See below: invisible characters are not part of an address
		"https://paypal\u00adcom.evil.example": "?",
		"http://0x7f.1/":                       "-",
		"http://0x7f000001/":                   "-",
		"http://2130706433/":                   "-",
		"http://017700000001":                  "-",
		"http://127.1/":                        "-",
		"http://127.0.0.01/":                   "-",
		"http://1.2.3.4.5/":                    "-",
		"http://1.2.3.4./":                     "-",
		"http://\u0661.2.3.4/":                 "-",
		"https://e.example:99999999/":          "-",
		"mailto:ada@\u0430pple.com":            "-",
		"mailto:ada%40paypal.com@evil.example": "?",
		"https://a_b.example/":                 "-",
		"https://ex\u200bample.org/":           "?",
		"https://ex\u202eample.org/":           "?",
	}
	for address, want := range hosts {
		for _, text := range []string{address, "see **" + address + "**", "“" + address + "”", address + " x"} {
			out := HTML(text, nil)
			switch links := strings.Count(out, "<a "); {
			case want == "?":
			case want == "-":
				if links > 0 {
					t.Errorf("%q is a link: %s", text, out)
				}
			case links != 1 || strings.Contains(out, "host") != (want != "") ||
				want != "" && !strings.Contains(out, `</a><span class="host"> (`+want+`)</span>`):
				t.Errorf("%q is not followed by %q: %s", text, want, out)
			}
			wantHonest(t, text, out)
		}
	}
}

var anyLink = regexp.MustCompile(`<a href="([^"]*)"` + regexp.QuoteMeta(leaves) +
	`(.*?)</a>(?:<span class="host"> \(([^)]*)\)</span>)?`)

// wantHonest fails if a link in out looks like another host than its target. It reads each link as
// a person does: the part before the first slash, or else the host shown beside it.
func wantHonest(t *testing.T, text, out string) {
	t.Helper()
	for _, m := range anyLink.FindAllStringSubmatch(out, -1) {
		u, err := url.Parse(html.UnescapeString(m[1]))
		if err != nil {
			t.Errorf("%q: %v in %s", text, err, out)
			continue
		}
		leads := u.Host
		if u.Scheme == "mailto" {
			leads = u.Opaque
		}
		reads := html.UnescapeString(m[2])
		for _, scheme := range []string{"https://", "http://", "mailto:"} {
			if len(reads) >= len(scheme) && strings.EqualFold(reads[:len(scheme)], scheme) {
				reads = reads[len(scheme):]
			}
		}
		if i := strings.IndexAny(reads, "/?#"); i >= 0 {
			reads = reads[:i]
		}
		if said := html.UnescapeString(m[3]); u.User != nil ||
			said != leads && (said != "" || reads != leads && strings.ToLower(reads) != leads || !isASCII(reads)) {
			t.Errorf("%q reads as %q, says %q, and leads to %q: %s", text, reads, said, leads, out)
		}
	}
}

// FuzzAddress reads all links in a text as a person does.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"https://a.b/c", "x:http://A.B:80?c", "https://ä.ö/ü", "https://a.b@c.d", "https://a。b",
		"mailto:a@b.c?subject=d", "a@b.c", "www.a.b/c", "(https://a.b/(c)#d)", "https://1.2.3.4.:5",
		"https://a_b_c.d **e** https://f_g", "https://a\u202eb", "mailto:a@R",
		"Http://a", "HTTPS://A.B/C", "MailTo:a@b.c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) && !strings.Contains(s, "](") { // those have link texts: see FuzzLink
			wantHonest(t, s, HTML(s, nil))
		}
	})
}

// An address that cannot show its target safely stays text.
func TestUnsafeAddressesStayText(t *testing.T) {
	for name, address := range map[string]string{
		"script":        "javascript:alert(1)",
		"data":          "data:text/html,x",
		"a path":        "/r/lobby",
		"no scheme":     "example.org",
		"two slashes":   "//evil.example",
		"three slashes": "https:///evil.example",
		"a user":        "https://bank.example@evil.example/",
		"a password":    "https://a:b@evil.example/",
		"backslash":     `https://bank.example\@evil.example/`,
		"percent":       "https://ba%6ek.example/",
		"bad port":      "https://evil.example:x/",
		"invisible":     "https://ba\u200bnk.example/",
		"turned around": "https://e.example/\u202egnp.tac",
		"quote":         `https://e.example/"onclick=x`,
		"title":         `https://e.example/ "bank.example"`,
		"wrong domain":  "https://-a_b.example/",
		"zone":          "https://[fe80::1%25eth0]/",
		"odd IPv4":      "http://0x7f.1/",
		"IPv4 as one":   "http://2130706433/",
		"octal IPv4":    "http://0177.0.0.1/",
		"mail, encoded": "mailto:a%40bank.example@evil.example",
		"nothing":       "",
		"very long":     "https://e.example/" + strings.Repeat("a", 2000),
	} {
		t.Run(name, func(t *testing.T) {
			out := HTML("**x** [a]("+address+")", nil)
			if !strings.Contains(out, "<p><strong>x</strong> [a](") || strings.Contains(out, ">a</a>") {
				t.Errorf("%s", out)
			}
		})
	}
	for _, name := range []string{"bank\u202e", "a\u2066b", "\u200fa"} {
		if out := HTML("**x** ["+name+"](https://e.example/)", nil); strings.Contains(out, "host") {
			t.Errorf("%q: %s", name, out)
		}
	}
}

// FuzzLink reads addresses as a browser does: the host that is shown must be the one between the
// slashes and the next delimiter.
func FuzzLink(f *testing.F) {
	for _, s := range []string{
		"https://a.b/c", "http://A.B:80?c", "https://ä.ö/ü", "https://a.b@c.d", "https://a。b", "mailto:a@b.c?subject=d",
		"https://a.b/(c)#d", "https://1.2.3.4.:5",
	} {
		f.Add(s)
	}
	shown := regexp.MustCompile(`<a href="https?://([^/?#"]*)[^"]*"` + regexp.QuoteMeta(leaves) +
		`[^<]*</a><span class="host"> \(([^)]*)\)</span>`)
	f.Fuzz(func(t *testing.T, address string) {
		out := HTML("[text]("+address+")", nil)
		if !strings.Contains(out, `class="host"`) || strings.Contains(out, "mailto:") {
			return
		}
		m := shown.FindStringSubmatch(out)
		if m == nil || m[1] != m[2] || !plainHost.MatchString(m[1]) {
			t.Fatalf("%q: %s", address, out)
		}
		if u, err := url.Parse("http://" + m[1]); err != nil || u.Host != m[2] {
			t.Errorf("%q: %v, %v", m[1], u, err)
		}
	})
}
