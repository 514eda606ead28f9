// Package registry finds the schema that a message names by its id.
package registry

import (
	"context"
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Schema is what a registry knows of one schema id.
type Schema struct {
	ID   int    // -1 where it was found by its GUID
	Type string // "AVRO", "PROTOBUF" or "JSON"
	Text string
	// References are the schemas that Text refers to, each before those that need it, once under each of its names.
	References []Referenced
	// Contract is what the registry keeps of the schema's data contract; nil: nothing.
	Contract *Contract
}

// Referenced is a schema that another one refers to.
type Referenced struct {
	Name   string // by which it is referred to
	Text   string
	Source string // where it comes from, for error messages: "subject money, version 3"; empty: unknown
}

// Registry answers with the schema of an id. It may be called from several goroutines at once and returns
// early when ctx is done.
type Registry interface {
	SchemaByID(ctx context.Context, id int) (Schema, error)
}

// Kind says what a failure means for the one who asked.
type Kind int

const (
	// Unavailable: no useful answer (connection, time-out, a status but 401, 403 and the registry's own 404, no JSON, no schema in it). Asking again may help.
	Unavailable Kind = iota
	// NotFound: the registry does not know the id.
	NotFound
	// Unauthorized: the registry refused the credentials (401, 403).
	Unauthorized
	// Invalid: the answer is understood and useless, such as references that form a circle.
	Invalid
)

// Error is a failed look-up.
type Error struct {
	Kind Kind
	ID   int // -1 where no id was asked for; a GUID is named by the text then
	URL  string
	Err  error
}

func (e *Error) Error() string {
	if e.ID < 0 {
		return fmt.Sprintf("schema registry %s: %v", e.URL, e.Err)
	}
	return fmt.Sprintf("schema registry %s: schema %d: %v", e.URL, e.ID, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Status implements status.Coded.
func (e *Error) Status() *status.Error {
	code := status.RegistryError
	if e.Kind == NotFound {
		code = status.SchemaNotFoundError
	}
	return status.New(code, e)
}
