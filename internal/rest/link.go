package rest

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"rsc.io/qr"

	"parley/internal/chat"
	"parley/internal/httpdoor"
)

// A linkInput names a page. A room's name of 64 letters can take 12 characters for each in an address.
type linkInput struct {
	Caller
	To string `query:"to" required:"true" minLength:"1" maxLength:"1200" example:"http://localhost:8080/r/lobby" doc:"The address of a page of this server, as the person who shares it sees it."`
}

type linkAnswer struct {
	Link     string   `json:"link" doc:"What to give to others. It differs from the parameter if that works on the caller's machine only."`
	OnlyHere bool     `json:"only_here,omitempty" doc:"The link works on the caller's machine only: the server knows no other address."`
	QR       []string `json:"qr" doc:"The link as a QR code: its rows, 1 for a dark module. Draw a light border of 4 modules around it."`
}

type linkOutput struct{ Body linkAnswer }

func (a *API) registerLink(api huma.API) {
	register(a, api, a.limitReads(huma.Operation{
		OperationID: "link", Method: http.MethodGet, Path: "/api/link", Tags: []string{"Rooms"},
		Summary: "A link that works for others, and its QR code",
		Description: "Who has opened the page on the server's own machine, as localhost, gets a link with the " +
			"machine's address in the local network.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The link",
			Content: content(linkAnswer{
				Link: "http://192.168.1.20:8080/r/lobby", QR: []string{"1111111", "1000001"},
			}),
		}},
		Errors: []int{400, 429},
	}), a.link)
}

// link answers GET /api/link.
func (a *API) link(_ context.Context, in *linkInput) (*linkOutput, error) {
	to, err := url.Parse(in.To)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" || to.User != nil {
		return nil, &chat.Error{Code: chat.BadRequest, Message: "The parameter to is an address with http or https."}
	}
	out := &linkOutput{}
	if isLoopback(to.Hostname()) {
		out.Body.OnlyHere = !a.useNetworkAddress(in.r, to)
	}
	out.Body.Link = to.String()
	code, err := qr.Encode(out.Body.Link, qr.M)
	if err != nil {
		return nil, &chat.Error{Code: chat.BadRequest, Message: "The parameter to is too long an address."}
	}
	for y := range code.Size {
		row := make([]byte, code.Size)
		for x := range row {
			row[x] = '0'
			if code.Black(x, y) {
				row[x] = '1'
			}
		}
		out.Body.QR = append(out.Body.QR, string(row))
	}
	return out, nil
}

// useNetworkAddress puts the server's address in the local network into an address. It does so only for who asks from
// the server's own machine: nobody else learns it, and for nobody else it would be the same machine.
func (a *API) useNetworkAddress(r *http.Request, to *url.URL) bool {
	name, _, ok := httpdoor.SplitHost(r.Host)
	if !ok || !isLoopback(name) || !a.door.Address(r).IsLoopback() || a.cfg.NetworkURLs == nil {
		return false
	}
	for _, text := range a.cfg.NetworkURLs() {
		if u, err := url.Parse(text); err == nil {
			to.Scheme, to.Host = u.Scheme, u.Host
			return true
		}
	}
	return false
}

// isLoopback reports whether a host's name leads every machine to itself.
func isLoopback(name string) bool {
	if httpdoor.IsLoopbackName(name) {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && (addr.Unmap().IsLoopback() || addr.IsUnspecified())
}
