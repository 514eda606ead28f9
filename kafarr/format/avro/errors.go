package avro

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// SchemaError says that a schema is invalid, or valid and not supported.
type SchemaError struct {
	Path string // field path, "customer.address.zip"; empty for the whole schema
	Msg  string
	// Twice are the texts that define a type twice: their indices in Parse's references, and len(references) for the text itself. Nil for all other errors.
	Twice []int
}

func (e *SchemaError) Error() string { return located(e.Path, e.Msg) }

// Duplicates implements format.DuplicateError.
func (e *SchemaError) Duplicates() []int { return e.Twice }

// Status implements status.Coded.
func (e *SchemaError) Status() *status.Error { return coded(status.SchemaError, e.Path, e.Msg) }

// DecodeError says that a body does not fit its schema.
type DecodeError struct {
	Path string
	Msg  string
}

func (e *DecodeError) Error() string { return located(e.Path, e.Msg) }

// Status implements status.Coded.
func (e *DecodeError) Status() *status.Error { return coded(status.DecodeError, e.Path, e.Msg) }

// IncompatibleError says that what was written with one schema cannot be read as another.
type IncompatibleError struct {
	Path string
	Msg  string
}

func (e *IncompatibleError) Error() string { return located(e.Path, e.Msg) }

// Status implements status.Coded.
func (e *IncompatibleError) Status() *status.Error {
	return coded(status.IncompatibleSchemaError, e.Path, e.Msg)
}

func coded(code status.Code, path, msg string) *status.Error {
	e := status.Errorf(code, "%s", msg)
	e.Path = path
	return e
}

func located(path, msg string) string {
	if path == "" {
		return msg
	}
	return path + ": " + msg
}

func schemaErrorf(path, format string, args ...any) error {
	return &SchemaError{Path: path, Msg: fmt.Sprintf(format, args...)}
}
