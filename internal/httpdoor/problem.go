package httpdoor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"parley/internal/chat"
)

// A Problem is the JSON of an error in HTTP answers: problem details (RFC 9457) with
// Parley's code.
type Problem struct {
	Type         string    `json:"type" format:"uri-reference" doc:"Where the code is explained."`
	Title        string    `json:"title" doc:"What the code means."`
	Status       int       `json:"status" doc:"The HTTP status."`
	Detail       string    `json:"detail" doc:"A sentence for people."`
	Code         chat.Code `json:"code" doc:"What a program acts on."`
	RetryAfterMS int64     `json:"retry_after_ms,omitempty" doc:"When it makes sense to try again, in milliseconds. Missing where waiting does not help."`
}

func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus, ContentType and GetHeaders implement huma.StatusError,
// huma.ContentTypeFilter and huma.HeadersError.

func (p *Problem) GetStatus() int { return p.Status }

func (p *Problem) ContentType(string) string { return "application/problem+json" }

func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RetryAfterMS > 0 {
		h.Set("Retry-After", strconv.FormatInt((p.RetryAfterMS+999)/1000, 10)) // whole seconds, RFC 9110 §10.2.3
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="parley"`)
	}
	return h
}

// NewProblem returns the problem for an error.
func NewProblem(e *chat.Error) *Problem {
	word := Errors[e.Code]
	p := &Problem{
		Type:   "/api/docs#" + string(e.Code),
		Title:  word.title(),
		Status: word.Status,
		Detail: e.Message,
		Code:   e.Code,
	}
	if p.Status == 0 { // a code that no HTTP request should get
		p.Status = http.StatusInternalServerError
	}
	if e.RetryAfter > 0 {
		p.RetryAfterMS = max(1, int64((e.RetryAfter+time.Millisecond-1)/time.Millisecond))
	}
	return p
}

// Problem returns the problem that the client sees for err. It counts the error, and
// logs it if the code is Internal.
func (d *Door) Problem(ctx context.Context, err error) *Problem {
	told := chat.UserError(err)
	if told.Code == chat.Internal && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		// The client has disconnected and will not read this.
		return NewProblem(&chat.Error{Code: chat.BadRequest, Message: "The request was given up."})
	}
	d.cfg.Counted(told.Code)
	if told.Code == chat.Internal {
		d.logger.LogAttrs(ctx, slog.LevelError, "request failed", slog.Any("err", err))
	}
	return NewProblem(told)
}

// Refuse answers a request with a problem.
func (d *Door) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	d.Problem(r.Context(), err).Write(w)
}

func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h[name] = values
	}
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(p) // fails only if the client has disconnected
}
