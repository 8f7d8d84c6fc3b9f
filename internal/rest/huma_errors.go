package rest

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/httpdoor"
)

// huma's own errors (a body that is not JSON, a parameter out of range) become
// Problems too. huma has this setting only per process.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return httpdoor.NewProblem(ofHuma(status, message, errs))
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
	if strings.HasPrefix(message, "invalid date/time") { // and then comes how Go writes the format
		message = "expected a time of RFC 3339, such as 2026-11-23T09:41:05Z"
	}
	return "The " + cmp.Or(requestParts.Replace(where), "request") + ": " + message + "."
}
