package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/internal/chat"
	"parley/internal/wire"
)

// rest adds the JSON doors, their OpenAPI document and the page that shows it.
func (s *Server) rest(mux *router) {
	api := humago.New(mux, apiConfig())
	api.UseMiddleware(noStore, mediaType)
	s.restSession(api)
	s.restRoom(api)
	s.restMessage(api)
	s.restMe(api)
	s.restSearch(api)
	s.restHealth(api)
	s.describeStreams(api.OpenAPI())

	// Both are made when first asked for: it takes as long as the rest of a start.
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api.OpenAPI()) })
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		text, err := document()
		if err != nil { // a type in a description that is none of JSON's
			panic(fmt.Errorf("the OpenAPI document: %w", err))
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(text) // the client may be gone; nobody is left to tell
	})
	docs := sync.OnceValues(func() (*apiDocs, error) { return newDocs(api.OpenAPI()) })
	mux.HandleFunc("GET /api/docs", func(w http.ResponseWriter, r *http.Request) {
		page, err := docs()
		if err != nil {
			panic(err)
		}
		page.ServeHTTP(w, r)
	})
	mux.Handle("GET /api/{$}", http.RedirectHandler("/api/docs", http.StatusTemporaryRedirect))
}

func apiConfig() huma.Config {
	cfg := huma.DefaultConfig("Parley", "1")
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", "" // we serve them ourselves
	cfg.CreateHooks = nil                                       // no $schema in answers
	cfg.AllowAdditionalPropertiesByDefault = true               // what one does not know one ignores
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	format := huma.Format{Marshal: marshal, Unmarshal: wire.Unmarshal}
	cfg.Formats = map[string]huma.Format{"application/json": format, "json": format}
	cfg.Info.Description = "Talk to the rooms of a Parley server over HTTP. " +
		"Bodies are JSON in UTF-8; fields that you do not know are to be ignored, as the server ignores what it does not know. " +
		"A person is known by a session: the cookie that browsers are given, or `Authorization: Bearer TOKEN`."
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A session that POST /api/session gave."},
		"cookie": {Type: "apiKey", In: "cookie", Name: secureCookie, Description: "The same session, as browsers hold it by HTTPS; without HTTPS the name is `parley_session_` and the port."},
	}
	cfg.Tags = []*huma.Tag{
		{Name: "Session", Description: "Who you are."},
		{Name: "Rooms", Description: "Any name in a URL is a room; it comes into being with its first message."},
		{Name: "Messages", Description: "What is done with a message: each an event of the room's log."},
		{Name: "Me", Description: "What rooms and messages are to the person whose session it is."},
		{Name: "Operation", Description: "For whoever runs the server."},
	}
	return cfg
}

// schemaNames are names in the OpenAPI document that other programs may have taken over, where the Go type has another.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[wire.MessageRef](): "MessagePlace",
}

func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return cmp.Or(schemaNames[t], huma.DefaultSchemaNamer(t, hint))
}

// mediaType has Content-Type compared as RFC 9110 §8.3.1 says: without case.
// Parameters say nothing here: JSON is UTF-8.
func mediaType(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
		r.Header.Set("Content-Type", kind)
	}
	next(ctx)
}

// noStore keeps answers, which are a person's or of the moment, out of caches.
func noStore(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", "no-store")
	next(ctx)
}

// register adds one operation. Whatever error it returns is told by problem,
// so that handlers neither log nor pick a status.
func register[I, O any](s *Server, api huma.API, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	op.MaxBodyBytes = -1
	if s.cfg.FrameSize > 0 {
		op.MaxBodyBytes = int64(s.cfg.FrameSize) + 1 // huma refuses the last byte too
	}
	op.BodyReadTimeout = bodyTimeout
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		s.leaveScope(ctx)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	if !slices.Contains(op.Errors, http.StatusUnprocessableEntity) { // huma adds it, but it is 400 here
		delete(op.Responses, strconv.Itoa(http.StatusUnprocessableEntity))
	}
	// huma gives a schema to one success only; the others have the same.
	const kind = "application/json"
	for _, r := range op.Responses {
		if m := r.Content[kind]; m != nil && m.Schema == nil {
			m.Schema = op.Responses[strconv.Itoa(op.DefaultStatus)].Content[kind].Schema
		}
	}
}

// Caller, in the input of an operation, gives it the request.
type Caller struct{ r *http.Request }

// Resolve is called by huma once the body has been read, if the operation has
// one. The time limit for that then goes, as it would end a request that still
// waits for its answer.
func (c *Caller) Resolve(ctx huma.Context) []error {
	c.r, _ = humago.Unwrap(ctx)
	if ctx.Operation().RequestBody != nil {
		ctx.SetReadDeadline(time.Time{}) // a connection without deadlines has none to lift
	}
	return nil
}

// RoomParam, in the input of an operation, is the room of its address.
type RoomParam struct {
	Room string `path:"room" example:"lobby" doc:"The room's name. It is folded and normalised; answers carry the result."`
}

// roomOf returns the room of a request's address, if the caller may look at it.
func (s *Server) roomOf(ctx context.Context, by *Caller, p RoomParam) (chat.RoomName, error) {
	return s.resolveRoom(s.address(by.r), p.Room, s.listChecker(ctx, by.r))
}

// A stamp is a time as the protocol writes it: RFC 3339 in UTC, to the
// millisecond.
type stamp time.Time

func (t stamp) MarshalText() ([]byte, error) {
	return wire.AppendTimestamp(nil, time.Time(t)), nil
}

func (t *stamp) UnmarshalText(text []byte) error {
	return (*time.Time)(t).UnmarshalText(text)
}

// Schema describes a stamp to huma.
func (stamp) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: "RFC 3339 in UTC with milliseconds."}
}

// content is a JSON body in the OpenAPI document, by its example; huma adds
// the schema.
func content(example any) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Example: example}}
}

// identified is what an operation asks for that somebody has to be known for.
// The empty one means that a new guest may do it too.
var identified = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
