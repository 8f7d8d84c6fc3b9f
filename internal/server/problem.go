package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

func newProblem(e *chat.Error) *Problem {
	word := httpErrors[e.Code]
	p := &Problem{
		Type:   "/api/docs#" + string(e.Code),
		Title:  word.title(),
		Status: word.status,
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

// problem returns the problem that the client sees for err. It counts the error, and
// logs it if the code is Internal.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	told := chat.UserError(err)
	if told.Code == chat.Internal && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		// The client has disconnected and will not read this.
		return newProblem(&chat.Error{Code: chat.BadRequest, Message: "The request was given up."})
	}
	s.counted(told.Code)
	if told.Code == chat.Internal {
		s.logger.LogAttrs(ctx, slog.LevelError, "request failed", slog.Any("err", err))
	}
	return newProblem(told)
}

// counted increments the metric of errors that clients were told.
func (s *Server) counted(code chat.Code) { s.metrics.errors.WithLabelValues(string(code)).Inc() }

// refuse answers a request with a problem.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	s.problem(r.Context(), err).write(w)
}

func (p *Problem) write(w http.ResponseWriter) {
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

// noRoute answers requests that no route matches: with 405 if another method would
// match, else with 404.
func (s *Server) noRoute(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allow []string
		for _, method := range []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if _, pattern := mux.Handler(probe); strings.HasPrefix(pattern, method) {
				allow = append(allow, method)
			}
		}
		if len(allow) == 0 {
			s.refuse(w, r, &chat.Error{Code: chat.NotFound, Message: "There is nothing at this address."})
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		p := s.problem(r.Context(), &chat.Error{
			Code:    chat.BadRequest,
			Message: fmt.Sprintf("This address takes no %s, only %s.", r.Method, strings.Join(allow, " and ")),
		})
		p.Status = http.StatusMethodNotAllowed
		p.write(w)
	}
}

// huma's own errors (a body that is not JSON, a parameter out of range) become
// Problems too. huma has this setting only per process.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newProblem(ofHuma(status, message, errs))
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return huma.NewError(status, message, errs...)
	}
}

// ofHuma returns the chat.Error for an error of huma. The code follows from the
// status or, if that is ambiguous, from the location of the first error.
func ofHuma(status int, message string, errs []error) *chat.Error {
	where := ""
	if len(errs) > 0 {
		if d, ok := errs[0].(huma.ErrorDetailer); ok {
			where, message = d.ErrorDetail().Location, d.ErrorDetail().Message
		}
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return &chat.Error{Code: chat.TooLarge, Message: "The request's body has too many bytes."}
	case status == http.StatusUnsupportedMediaType:
		return &chat.Error{
			Code: chat.BadRequest, Message: "The body has to be application/json, and Content-Type has to say so.",
		}
	case status == http.StatusRequestTimeout:
		return &chat.Error{Code: chat.BadRequest, Message: "The request's body took too long to come."}
	case status == http.StatusBadRequest && where == "", strings.HasPrefix(where, "body"):
		return &chat.Error{Code: chat.InvalidJSON, Message: sentence(where, message)}
	case status < http.StatusInternalServerError:
		return &chat.Error{Code: chat.BadRequest, Message: sentence(where, message)}
	}
	return chat.UserError(errors.New(message))
}

// requestParts replaces huma's names for the parts of a request.
var requestParts = strings.NewReplacer(
	"query.", "parameter ", "body.", "field ", "path.", "address's ", "header.", "header ",
)

func sentence(where, message string) string {
	return "The " + cmp.Or(requestParts.Replace(where), "request") + ": " + message + "."
}
