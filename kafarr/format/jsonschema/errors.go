package jsonschema

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// SchemaError says that a schema is invalid, or valid and not supported.
type SchemaError struct {
	Path string // of the field, such as "customer.address.zip"; empty: the whole schema
	Msg  string
	// Twice are the texts of which a $ref may mean each: their indices in Parse's references, and len(references) for the text itself. Nil for all other errors.
	Twice []int
}

func (e *SchemaError) Error() string {
	if e.Path == "" {
		return e.Msg
	}
	return e.Path + ": " + e.Msg
}

// Duplicates implements format.DuplicateError.
func (e *SchemaError) Duplicates() []int { return e.Twice }

// Status implements status.Coded.
func (e *SchemaError) Status() *status.Error {
	coded := status.Errorf(status.SchemaError, "%s", e.Msg)
	coded.Path = e.Path
	return coded
}

func schemaErrorf(path, format string, args ...any) error {
	return &SchemaError{Path: path, Msg: fmt.Sprintf(format, args...)}
}
