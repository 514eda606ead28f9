package protobuf

import "github.com/pykafarr/pykafarr/kafarr/status"

func schemaError(path, text string, args ...any) error {
	return located(status.SchemaError, path, text, args...)
}

// located is an error at the path of a field.
func located(code status.Code, path, text string, args ...any) error {
	e := status.Errorf(code, text, args...)
	e.Path = path
	return e
}
