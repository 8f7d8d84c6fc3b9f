package rest

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
	"parley/internal/httpdoor"
	"parley/internal/wire"
)

// Routes adds the operations of REST, their OpenAPI document and the page that shows
// it.
func (a *API) Routes(mux humago.Mux) {
	api := humago.New(mux, apiConfig())
	api.UseMiddleware(noStore, mediaType)
	a.registerSession(api)
	a.registerRoom(api)
	a.registerMessage(api)
	a.registerChange(api)
	a.registerMe(api)
	a.registerSearch(api)
	a.registerLink(api)
	a.registerHealth(api)
	a.describeStreams(api.OpenAPI())

	// Both are made on the first request, as that takes as long as the rest of a start.
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api.OpenAPI()) })
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		text, err := document()
		if err != nil { // an example that cannot be encoded
			panic(fmt.Errorf("the OpenAPI document: %w", err))
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(text) // fails only if the client has disconnected
	})
	docs := sync.OnceValues(func() (*apiDocs, error) { return newDocs(api.OpenAPI()) })
	mux.HandleFunc("GET /api/docs", func(w http.ResponseWriter, r *http.Request) {
		page, err := docs()
		if err != nil {
			panic(err)
		}
		page.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /api/{$}", http.RedirectHandler("/api/docs", http.StatusTemporaryRedirect).ServeHTTP)
}

func apiConfig() huma.Config {
	cfg := huma.DefaultConfig("Parley", "1")
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", "" // Routes serves them
	cfg.CreateHooks = nil                                       // no $schema in answers
	cfg.AllowAdditionalPropertiesByDefault = true               // unknown fields are ignored
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	format := huma.Format{Marshal: marshal, Unmarshal: wire.Unmarshal}
	cfg.Formats = map[string]huma.Format{"application/json": format, "json": format}
	cfg.Info.Description = "Talk to the rooms of a Parley server over HTTP. " +
		"Bodies are JSON in UTF-8; fields that you do not know are to be ignored, " +
		"as the server ignores what it does not know. " +
		"A person is known by a session: the cookie that browsers are given, or `Authorization: Bearer TOKEN`."
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A session that POST /api/session gave."},
		"cookie": {
			Type: "apiKey", In: "cookie", Name: httpdoor.SecureCookie,
			Description: "The same session, as browsers hold it by HTTPS; " +
				"without HTTPS the name is `parley_session_` and the port.",
		},
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

// schemaNames are the names of schemas that differ from those of their Go types.
// Programs that were generated from the OpenAPI document may use them.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[wire.MessageRef](): "MessagePlace",
}

func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return cmp.Or(schemaNames[t], huma.DefaultSchemaNamer(t, hint))
}

// mediaType changes Content-Type to lower case, as RFC 9110 §8.3.1 ignores case and
// huma does not. It removes parameters, which have no meaning for JSON.
func mediaType(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
		r.Header.Set("Content-Type", kind)
	}
	next(ctx)
}

// noStore keeps answers out of caches, as they are personal or change all the time.
func noStore(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", "no-store")
	next(ctx)
}

// register adds an operation. It turns errors of do into problems, so that do
// neither logs nor chooses a status.
func register[I, O any](a *API, api huma.API, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	op.MaxBodyBytes = -1
	if a.cfg.FrameSize > 0 {
		op.MaxBodyBytes = int64(a.cfg.FrameSize) + 1 // huma refuses the last byte too
	}
	op.BodyReadTimeout = BodyTimeout
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		a.door.LeaveScope(ctx)
		if err != nil {
			return nil, a.door.Problem(ctx, err)
		}
		return out, nil
	})
	if !slices.Contains(op.Errors, http.StatusUnprocessableEntity) { // huma adds it, but it is 400 here
		delete(op.Responses, strconv.Itoa(http.StatusUnprocessableEntity))
	}
	// huma sets the schema of one success only; the others have the same one.
	const kind = "application/json"
	for _, r := range op.Responses {
		if m := r.Content[kind]; m != nil && m.Schema == nil {
			m.Schema = op.Responses[strconv.Itoa(op.DefaultStatus)].Content[kind].Schema
		}
	}
}

// Caller, in the input of an operation, is the HTTP request.
type Caller struct{ r *http.Request }

// Resolve implements huma.Resolver. huma calls it after it has read the body. It
// removes the time limit for reading the body, which would otherwise end a request
// that waits for its answer.
func (c *Caller) Resolve(ctx huma.Context) []error {
	c.r, _ = humago.Unwrap(ctx)
	if ctx.Operation().RequestBody != nil {
		ctx.SetReadDeadline(time.Time{}) // fails if the connection has no deadlines
	}
	return nil
}

// RoomParam, in the input of an operation, is the room in its URL.
type RoomParam struct {
	Room string `path:"room" example:"lobby" doc:"The room's name. It is folded and normalised; answers carry the result."`
}

// roomOf returns the room in a request's URL, if the caller may look at it.
func (a *API) roomOf(ctx context.Context, by *Caller, p RoomParam) (chat.RoomName, error) {
	return a.door.ResolveRoom(a.door.Address(by.r), p.Room, a.door.ListChecker(ctx, by.r))
}

// A stamp is a time in the protocol's format: RFC 3339 in UTC, with milliseconds.
type stamp time.Time

func (t stamp) MarshalText() ([]byte, error) {
	return wire.AppendTimestamp(nil, time.Time(t)), nil
}

func (t *stamp) UnmarshalText(text []byte) error {
	return (*time.Time)(t).UnmarshalText(text)
}

// Schema implements huma.SchemaProvider.
func (stamp) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: "RFC 3339 in UTC with milliseconds."}
}

// content returns a JSON body for the OpenAPI document; huma adds the schema.
func content(example any) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Example: example}}
}

// identified is the security of operations that need a session. With an empty
// requirement added, a new guest may call them too.
var identified = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
