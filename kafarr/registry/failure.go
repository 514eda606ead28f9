package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
	"golang.org/x/oauth2"
)

// invalidAnswer marks answers that are of no use however often one asks.
type invalidAnswer struct{ error }

func (e *invalidAnswer) Unwrap() error { return e.error }

// errNoSchema is an answer of success without a schema: a registry gives none such, but what stands before it may.
var errNoSchema = errors.New("the answer holds no schema")

// judge says what kind of failure a look-up's error is, and puts its cause into plain words.
func judge(err error, last *exchange) (Kind, error) {
	var invalid *invalidAnswer
	if errors.As(err, &invalid) {
		return Invalid, invalid.error
	}
	if errors.Is(err, errNoSchema) { // nor does it say that there is none
		return Unavailable, fmt.Errorf("%w: is the URL right?", errNoSchema)
	}
	var token *oauth2.RetrieveError
	if errors.As(err, &token) {
		return judgeToken(token)
	}
	if last.status == 0 {
		// "Get "http://…": cause": the URL is in our own message already.
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err
		}
		return Unavailable, err
	}
	var answer *rest.Error
	if errors.As(err, &answer) {
		return kindOfStatus(last.status), describe(last.status, answer)
	}
	if last.status < 200 || last.status > 299 {
		kind := kindOfStatus(last.status)
		if kind != Unauthorized {
			// A 404 that is not JSON is a proxy's or another server's: it says nothing about the schema.
			kind = Unavailable
		}
		return kind, fmt.Errorf("%d %s with an answer that is not a schema registry's (%s): is the URL right?",
			last.status, http.StatusText(last.status), shownType(last))
	}
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		return Unavailable, fmt.Errorf("the answer is JSON of another form than a schema registry's, is the URL right? %w", err)
	}
	return Unavailable, fmt.Errorf("%d with an answer that is not JSON, or cut off (%s): %w", last.status, shownType(last), err)
}

func judgeToken(token *oauth2.RetrieveError) (Kind, error) {
	// Not the body: a token endpoint may echo what was sent to it.
	status, kind := 0, Unavailable
	if token.Response != nil {
		status = token.Response.StatusCode
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		kind = Unauthorized // RFC 6749: a wrong client id or secret is a 400 or a 401
	}
	return kind, fmt.Errorf("the token endpoint answered %d %s", status, clean(token.ErrorCode))
}

func kindOfStatus(status int) Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return Unauthorized
	case http.StatusNotFound:
		return NotFound
	}
	return Unavailable // also 400 or 407: such an answer says nothing about the schema
}

// describe gives "404: Schema not found (error code 40403)".
func describe(status int, answer *rest.Error) error {
	message := clean(answer.Message)
	if message == "" {
		message = http.StatusText(status)
	}
	if answer.Code == status || answer.Code == 0 {
		return fmt.Errorf("%d: %s", status, message)
	}
	return fmt.Errorf("%d: %s (error code %d)", status, message, answer.Code)
}

func shownType(last *exchange) string {
	if last.contentType == "" {
		return "no content type"
	}
	return clean(last.contentType)
}

// clean makes a text that a server sent fit for an error message: one line, not endless.
func clean(text string) string { return oneLine(text, 300) }

func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(text)
}
