package schema

import (
	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/json"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// A bare body says nothing about its format, and the text of an object in JSON can be a record of a long and a string. docs/decisions/0070-whole-json-is-no-bare-avro.md says why it is
// an error, and why it is one of the record.

// MayBeJSON tells whether bodies of a schema may be JSON from their first byte to their last and be good all the same, as they may be a text that someone chose.
func MayBeJSON(s format.Schema) bool {
	t, ok := s.(format.Textlike)
	return ok && t.MayBeText()
}

// Disguised is the error of a bare body that is a whole document of JSON, where c says that it is of another format; nil: it is none.
func Disguised(c Content, body format.Body) *status.Error {
	if c == JSON || c == JSONSchema || !json.IsDocument(body) {
		return nil
	}
	return status.Errorf(status.DecodeError, "the body is an object or array in JSON from its first byte to its last, and so it is no %s, whatever it could be read as", c.given().name)
}
