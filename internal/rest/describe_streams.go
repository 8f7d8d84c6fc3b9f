package rest

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

var (
	textSchema   = &huma.Schema{Type: huma.TypeString}
	numberSchema = &huma.Schema{Type: huma.TypeInteger}
)

// describeStreams adds the operations whose answers are not JSON to the document.
func (a *API) describeStreams(doc *huma.OpenAPI) {
	doc.AddOperation(describeSSE())
	doc.AddOperation(describeText())
	if a.cfg.WithoutMetrics {
		return
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"Operation"},
		Summary: "Counts, for Prometheus",
		Responses: map[string]*huma.Response{
			"200": {Description: "Metrics", Content: map[string]*huma.MediaType{"text/plain": {Schema: textSchema}}},
		},
	})
}

func describeSSE() *huma.Operation {
	op := streamOperation("events", "text/event-stream", http.StatusBadRequest)
	op.Summary = "Listen, as server-sent events"
	op.Description = "Each event is `id: EPOCH:SEQ:AT`, `event: message` and `data:` with one JSON object; presence " +
		"and typing come without an id. A stream begins with an id alone, so that it can be resumed before its " +
		"first event. `Last-Event-ID`, or `after` with `epoch` and `at`, continues where one stopped. If that is " +
		"too far back, or in another log, the first event is `event: behind`. " +
		"A stream that brings a session ends with `event: ended` when that session is signed out."
	op.Responses["200"].Description = "Events until you hang up"
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "Last-Event-ID", In: "header", Schema: textSchema,
		Description: "The last `id` that you have. A plain seq is taken too.",
	})
	return op
}

func describeText() *huma.Operation {
	op := streamOperation("text", "text/plain", http.StatusBadRequest, http.StatusConflict)
	op.Summary = "Listen, as lines of text"
	op.Description = "Each event is one line that begins with its seq and its time, for people and for programs such " +
		"as `grep`. An empty line has no meaning; it comes when there is nothing else for a while. With `after`, " +
		"lines begin with the event after that one, however old it is; without it, with the next one."
	op.Responses["200"].Description = "Lines until you hang up"
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "zone", In: "query", Schema: textSchema, Example: "Europe/Berlin",
		Description: "The time zone of the lines, by its name in the IANA database; UTC if it is missing.",
	})
	return op
}

// streamOperation returns an operation that openStream answers, with the fields that all of them share.
func streamOperation(id, contentType string, refusals ...int) *huma.Operation {
	responses := map[string]*huma.Response{
		"200": {Content: map[string]*huma.MediaType{contentType: {Schema: textSchema}}},
	}
	for _, status := range append(refusals, http.StatusTooManyRequests, http.StatusServiceUnavailable) {
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
			},
		}
	}
	return &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: "/api/rooms/{room}/" + id, Tags: []string{"Rooms"},
		Parameters: []*huma.Param{
			{
				Name: "room", In: "path", Required: true, Schema: textSchema, Description: "The room's name.",
				Example: "lobby",
			},
			{Name: "after", In: "query", Schema: numberSchema, Description: "The last seq that you have."},
			{
				Name: "epoch", In: "query", Schema: textSchema,
				Description: "The epoch that `after` belongs to.",
			},
			{
				Name: "at", In: "query", Schema: textSchema,
				Description: "When the event `after` was stored, as the server told it.",
			},
		},
		Responses: responses,
	}
}
