package status_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format/avro"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// TestEachLayersErrorsHaveTheirCodes holds the texts, too: what was put around an error of the registry stays, a field path becomes the error's own.
func TestEachLayersErrorsHaveTheirCodes(t *testing.T) {
	unknown := &registry.Error{Kind: registry.NotFound, ID: 7, URL: "http://r", Err: errors.New("not there")}
	for _, c := range []struct {
		given error
		code  status.Code
		text  string
	}{
		{&source.Error{Code: status.TopicNotFoundError, Topic: "t", Partition: 2, Offset: -1, Err: errors.New("gone")}, status.TopicNotFoundError, "t[2]: gone"},
		{source.Errorf(status.AuthenticationError, "refused"), status.AuthenticationError, "refused"},
		{source.ErrClosed, status.ClosedError, "the listener is closed"},
		{unknown, status.SchemaNotFoundError, "schema registry http://r: schema 7: not there"},
		{fmt.Errorf("in front: %w", unknown), status.SchemaNotFoundError, "in front: schema registry http://r: schema 7: not there"},
		{&registry.ConfigError{Property: "url", Err: errors.New("no host")}, status.ConfigError, "registry_url: no host"},
		{&avro.SchemaError{Path: "a.b", Msg: "bad"}, status.SchemaError, "a.b: bad"},
		{&avro.IncompatibleError{Path: "a", Msg: "differs"}, status.IncompatibleSchemaError, "a: differs"},
		{&avro.DecodeError{Msg: "short"}, status.DecodeError, "short"},
		{errors.New("who knows"), status.InternalError, "who knows"},
	} {
		e := status.Wrap(c.given)
		if e.Code != c.code || e.Error() != c.text {
			t.Errorf("%v: %v %q, want %v %q", c.given, e.Code, e, c.code, c.text)
		}
	}
	if e := status.Wrap(unknown); !errors.Is(e, error(unknown)) {
		t.Errorf("%v has lost its cause", e)
	}
	if e := status.Wrap(source.ErrClosed); !errors.Is(e, status.ErrClosed) {
		t.Errorf("%v is no ErrClosed", e)
	}
}

func TestAPlaceAndAHintLeaveTheErrorThatTheyAreAddedToAsItIs(t *testing.T) {
	e := status.Errorf(status.FramingError, "short")
	placed := e.At("t", 1, 5).Hint("it looks like JSON")
	if placed.Error() != "t[1]@5: short; it looks like JSON" || e.Error() != "short" || e.Hint("") != e {
		t.Errorf("%v, %v", placed, e)
	}
}
